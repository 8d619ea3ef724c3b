//! bench_compute: computation instead of host calls. Per request, as it is configured: `sha256` hashes 10 KB, `json`
//! parses 10 KB into a tree and writes it again. What came of it is put on the response.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::rc::Rc;

const SIZE: usize = 10 * 1024;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Compute { work: Rc::new(Work::Hash(vec![])) }));
}}

enum Work {
    Hash(Vec<u8>),
    Json(String),
}

impl Work {
    fn result(&self) -> String {
        match self {
            Work::Hash(bytes) => Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            Work::Json(text) => match serde_json::from_str::<Value>(text) {
                Ok(tree) => tree.to_string().len().to_string(),
                Err(_) => String::new(),
            },
        }
    }
}

/// An array of small objects, as services send them: text, numbers, a list, a truth value.
fn document() -> String {
    let mut text = String::from("[");
    for i in 0.. {
        let item = format!(r#"{{"id":{i},"name":"item number {i}","price":{}.25,"tags":["a","bc","def"],"there":true}}"#, i * 3);
        if text.len() + item.len() + 2 > SIZE {
            break;
        }
        if i > 0 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

struct Compute {
    work: Rc<Work>,
}

impl Context for Compute {}

impl RootContext for Compute {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        self.work = Rc::new(match configuration.as_slice() {
            b"sha256" => Work::Hash(vec![b'x'; SIZE]),
            b"json" => Work::Json(document()),
            _ => return false,
        });
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { work: self.work.clone() }))
    }
}

struct Stream {
    work: Rc<Work>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header("x-bench-result", &self.work.result());
        Action::Continue
    }
}
