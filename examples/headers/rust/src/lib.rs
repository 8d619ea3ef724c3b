//! headers: adds, replaces and removes request and response headers, as its configuration says.
//!
//! One rule a line: `request|response add|replace|remove NAME [VALUE]`. Empty lines and lines with `#` first are skipped.

use std::rc::Rc;

use log::error;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Headers { rules: Rc::default() }));
}}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Request,
    Response,
}

enum Change {
    Add(String),
    Replace(String),
    Remove,
}

struct Rule {
    side: Side,
    name: String,
    change: Change,
}

impl Rule {
    fn parse(line: &str) -> Option<Rule> {
        let mut words = line.splitn(4, ' ');
        let side = match words.next()? {
            "request" => Side::Request,
            "response" => Side::Response,
            _ => return None,
        };
        let verb = words.next()?;
        let name = words.next().filter(|name| !name.is_empty())?.to_string();
        let value = words.next().map(str::to_string);
        let change = match verb {
            "add" => Change::Add(value?),
            "replace" => Change::Replace(value?),
            "remove" => Change::Remove,
            _ => return None,
        };
        Some(Rule { side, name, change })
    }
}

struct Headers {
    rules: Rc<Vec<Rule>>,
}

impl Context for Headers {}

impl RootContext for Headers {
    /// Reads every rule once. A rule that does not parse refuses the whole configuration: half a rule set helps nobody.
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut rules = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Rule::parse(line) {
                Some(rule) => rules.push(rule),
                None => {
                    error!("not a rule: {line}");
                    return false;
                }
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
    rules: Rc<Vec<Rule>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for rule in self.rules.iter().filter(|rule| rule.side == Side::Request) {
            match &rule.change {
                Change::Add(value) => self.add_http_request_header(&rule.name, value),
                Change::Replace(value) => self.set_http_request_header(&rule.name, Some(value)),
                Change::Remove => self.remove_http_request_header(&rule.name),
            }
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for rule in self.rules.iter().filter(|rule| rule.side == Side::Response) {
            match &rule.change {
                Change::Add(value) => self.add_http_response_header(&rule.name, value),
                Change::Replace(value) => self.set_http_response_header(&rule.name, Some(value)),
                Change::Remove => self.remove_http_response_header(&rule.name),
            }
        }
        Action::Continue
    }
}
