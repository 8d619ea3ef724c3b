//! hello: writes every request header and both bodies to the proxy's log, and changes nothing.

use log::info;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Hello));
}}

struct Hello;

impl Context for Hello {}

impl RootContext for Hello {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }
}

struct Stream;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for (key, value) in self.get_http_request_headers_bytes() {
            info!("{key}: {}", String::from_utf8_lossy(&value));
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        info!("OnHttpRequestBody");
        let body = || self.get_http_request_body(0, size);
        show_body(size, end_of_stream, body)
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        info!("OnHttpResponseBody");
        let body = || self.get_http_response_body(0, size);
        show_body(size, end_of_stream, body)
    }
}

/// A body arrives in pieces. Pausing makes the proxy keep them, so that the last call sees the whole body.
fn show_body(size: usize, end_of_stream: bool, body: impl Fn() -> Option<Vec<u8>>) -> Action {
    info!("Body size: {size}");
    info!("End of stream: {end_of_stream}");
    if !end_of_stream {
        return Action::Pause;
    }
    let content = body().unwrap_or_default();
    info!("BODY CONTENT: {}", String::from_utf8_lossy(&content));
    Action::Continue
}
