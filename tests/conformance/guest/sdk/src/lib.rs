//! A plugin as people write it with the public Rust SDK: an allow-or-deny callout, body rewriting, a counter, shared data.
//! The SDK panics on every status that it does not expect, so it also proves that statuses are the usual ones.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext, StreamContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType, PeerType};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { greeting: String::new(), counter: 0, queue: 0 }));
}}

struct Root {
    greeting: String,
    counter: u32,
    queue: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, size: usize) -> bool {
        log::info!("vm_start size={size} {:?}", self.get_vm_configuration());
        true
    }

    fn on_configure(&mut self, size: usize) -> bool {
        self.greeting = self.get_plugin_configuration().map_or(String::new(), |b| String::from_utf8_lossy(&b).into_owned());
        self.counter = hostcalls::define_metric(MetricType::Counter, "sdk_requests").unwrap();
        self.queue = self.register_shared_queue("sdk_queue");
        log::info!("configure size={size} {:?}", self.greeting);
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { greeting: self.greeting.clone(), counter: self.counter }))
    }

    fn create_stream_context(&self, _: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Connection { queue: self.queue }))
    }

    /// By configuration: `connections` stands before TCP.
    fn get_type(&self) -> Option<ContextType> {
        Some(if self.greeting == "connections" { ContextType::StreamContext } else { ContextType::HttpContext })
    }

    fn on_queue_ready(&mut self, queue: u32) {
        let news = self.dequeue_shared_queue(queue).map(|b| b.map(|b| String::from_utf8_lossy(&b).into_owned()));
        log::info!("queue {:?}, then {:?}", news, self.dequeue_shared_queue(queue));
    }
}

struct Connection {
    queue: u32,
}

impl Context for Connection {
    fn on_done(&mut self) -> bool {
        log::info!("connection done");
        true
    }
}

impl StreamContext for Connection {
    fn on_new_connection(&mut self) -> Action {
        log::info!("new connection {:?}", self.get_property(vec!["plugin_name"]));
        Action::Continue
    }

    fn on_downstream_data(&mut self, size: usize, eos: bool) -> Action {
        let text = self.get_downstream_data(0, size).unwrap_or_default();
        log::info!("downstream size={size} eos={eos} {:?}", String::from_utf8_lossy(&text));
        if !eos && !text.ends_with(b".") {
            return Action::Pause;
        }
        self.set_downstream_data(0, size, String::from_utf8_lossy(&text).to_uppercase().as_bytes());
        log::info!("queued {:?}", self.enqueue_shared_queue(self.queue, Some(&text)));
        Action::Continue
    }

    fn on_downstream_close(&mut self, by: PeerType) {
        log::info!("downstream closed by {by:?}");
    }

    fn on_upstream_data(&mut self, size: usize, eos: bool) -> Action {
        log::info!("upstream size={size} eos={eos} {:?}", self.get_upstream_data(0, size).map(|b| b.len()));
        Action::Continue
    }

    fn on_upstream_close(&mut self, by: PeerType) {
        log::info!("upstream closed by {by:?}");
    }

    fn on_log(&mut self) {
        log::info!("connection log {:?}", self.get_property(vec!["response", "size"]).map(|b| b[0]));
    }
}

struct Stream {
    greeting: String,
    counter: u32,
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body: usize, trailers: usize) {
        let status = self.get_http_call_response_header(":status");
        log::warn!("answer headers={} body={body} trailers={trailers} {status:?}", headers > 0);
        match status.as_deref() {
            Some("200") => self.resume_http_request(),
            _ => self.send_http_response(403, vec![("x-denied", "yes")], Some(b"denied\n")),
        }
    }

    fn on_done(&mut self) -> bool {
        log::info!("done");
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, count: usize, eos: bool) -> Action {
        hostcalls::increment_metric(self.counter, 1).unwrap();
        log::debug!("request count={count} eos={eos} {:?} {:?}", self.get_http_request_header("x-absent"), self.get_property(vec!["request", "absent"]));
        self.set_http_request_header("x-from-plugin", Some(&self.greeting));
        self.add_http_request_header("x-from-plugin", "again");
        let Some(path) = self.get_http_request_header("x-ask") else { return Action::Continue };
        let asked = self.dispatch_http_call(
            "callout",
            vec![(":method", "GET"), (":path", &path), (":authority", "asked.example")],
            None, vec![], Duration::from_millis(500),
        );
        log::info!("asked {:?}", asked.is_ok());
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, eos: bool) -> Action {
        log::info!("request body size={size} eos={eos} {:?}", self.get_http_request_body(0, size).map(|b| b.len()));
        if !eos { Action::Pause } else { Action::Continue }
    }

    fn on_http_response_headers(&mut self, count: usize, eos: bool) -> Action {
        let (before, cas) = self.get_shared_data("visits");
        let visits = before.map_or(0, |b| b[0]) + 1;
        let stored = self.set_shared_data("visits", Some(&[visits]), cas);
        log::info!("response count={count} eos={eos} visits={visits} {stored:?}");
        self.set_http_response_header("content-length", None);
        self.set_http_response_header("x-visits", Some(&visits.to_string()));
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, eos: bool) -> Action {
        if !eos {
            return Action::Pause;
        }
        let text = self.get_http_response_body(0, size).unwrap_or_default();
        self.set_http_response_body(0, size, String::from_utf8_lossy(&text).to_uppercase().as_bytes());
        Action::Continue
    }

    fn on_log(&mut self) {
        log::info!("log {:?} {:?}", self.get_http_request_header(":path"), self.get_http_response_header(":status"));
    }
}
