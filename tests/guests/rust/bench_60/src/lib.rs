//! bench_60: host calls in number. Per request it adds twenty headers, reads them back, and removes them.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

const COUNT: usize = 20;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Many { names: std::rc::Rc::new(names()) }));
}}

fn names() -> Vec<String> {
    (0..COUNT).map(|i| format!("x-bench-{i}")).collect()
}

struct Many {
    names: std::rc::Rc<Vec<String>>,
}

impl Context for Many {}

impl RootContext for Many {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { names: self.names.clone() }))
    }
}

struct Stream {
    names: std::rc::Rc<Vec<String>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for name in self.names.iter() {
            self.add_http_request_header(name, "a value of usual length");
        }
        let mut bytes = 0;
        for name in self.names.iter() {
            bytes += self.get_http_request_header(name).map_or(0, |value| value.len());
        }
        for name in self.names.iter() {
            self.remove_http_request_header(name);
        }
        // Makes the reads count: a proxy that returned nothing would be caught by the status.
        match bytes {
            0 => self.send_http_response(500, vec![], None),
            _ => return Action::Continue,
        }
        Action::Pause
    }
}
