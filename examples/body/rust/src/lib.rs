//! body: reads, replaces, prepends to and appends to request and response bodies, as its configuration says.
//!
//! One rule a line: `request|response prepend|append|replace TEXT`. Empty lines and lines with `#` first are skipped.

use std::rc::Rc;

use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Body { rules: Rc::default() }));
}}

enum Edit {
    Prepend(String),
    Append(String),
    Replace(String),
}

#[derive(Default)]
struct Rules {
    request: Vec<Edit>,
    response: Vec<Edit>,
}

impl Rules {
    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.splitn(3, ' ');
        let side = match words.next()? {
            "request" => &mut self.request,
            "response" => &mut self.response,
            _ => return None,
        };
        let verb = words.next()?;
        let text = words.next()?.to_string();
        side.push(match verb {
            "prepend" => Edit::Prepend(text),
            "append" => Edit::Append(text),
            "replace" => Edit::Replace(text),
            _ => return None,
        });
        Some(())
    }
}

struct Body {
    rules: Rc<Rules>,
}

impl Context for Body {}

impl RootContext for Body {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut rules = Rules::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if rules.add(line).is_none() {
                error!("not a rule: {line}");
                return false;
            }
        }
        self.rules = Rc::new(rules);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { rules: self.rules.clone() }))
    }
}

struct Stream {
    rules: Rc<Rules>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    /// The length is about to change. Without `content-length` the proxy frames the new body itself; this is the last
    /// moment to say so, because headers leave before the body.
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if !end_of_stream && !self.rules.request.is_empty() {
            self.remove_http_request_header("content-length");
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.rules.request.is_empty() {
            return Action::Continue;
        }
        if !end_of_stream {
            return Action::Pause; // The proxy keeps what came so far; the last call sees the whole.
        }
        let body = self.get_http_request_body(0, size).unwrap_or_default();
        info!("request body was: {}", String::from_utf8_lossy(&body));
        apply(&self.rules.request, size, |start, length, text| {
            self.set_http_request_body(start, length, text)
        });
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if !end_of_stream && !self.rules.response.is_empty() {
            self.remove_http_response_header("content-length");
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.rules.response.is_empty() {
            return Action::Continue;
        }
        if !end_of_stream {
            return Action::Pause;
        }
        let body = self.get_http_response_body(0, size).unwrap_or_default();
        info!("response body was: {}", String::from_utf8_lossy(&body));
        apply(&self.rules.response, size, |start, length, text| {
            self.set_http_response_body(start, length, text)
        });
        Action::Continue
    }
}

/// The three edits are one call: what stands in [start, start + length) gives way to the text.
fn apply(edits: &[Edit], mut size: usize, set: impl Fn(usize, usize, &[u8])) {
    for edit in edits {
        match edit {
            Edit::Prepend(text) => {
                set(0, 0, text.as_bytes());
                size += text.len();
            }
            Edit::Append(text) => {
                set(size, 0, text.as_bytes());
                size += text.len();
            }
            Edit::Replace(text) => {
                set(0, size, text.as_bytes());
                size = text.len();
            }
        }
    }
}
