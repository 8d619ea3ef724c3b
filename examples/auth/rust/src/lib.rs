//! auth: asks an authorisation service about each request, and lets it pass or answers in its place.
//!
//! The configuration is the name of the cluster to ask. No `authorization` header: 401, without asking. The service says
//! 200: the request goes on with `x-auth-user`. It fails or does not answer: 503. It says anything else: 403.

use std::time::Duration;

use log::{error, info};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType, Status};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Auth { cluster: String::new(), allowed: 0, denied: 0 }));
}}

const DECISIONS: &str = "auth.decisions";
const TIMEOUT: Duration = Duration::from_secs(1);

struct Auth {
    cluster: String,
    allowed: u32,
    denied: u32,
}

impl Context for Auth {}

impl RootContext for Auth {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        self.cluster = String::from_utf8_lossy(&bytes).trim().to_string();
        if self.cluster.is_empty() {
            error!("the configuration must name the cluster to ask");
            return false;
        }
        let define = |name| hostcalls::define_metric(MetricType::Counter, name);
        match (define("auth_allowed"), define("auth_denied")) {
            (Ok(allowed), Ok(denied)) => {
                self.allowed = allowed;
                self.denied = denied;
                true
            }
            _ => false,
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            cluster: self.cluster.clone(),
            allowed: self.allowed,
            denied: self.denied,
            decision: None,
        }))
    }
}

struct Stream {
    cluster: String,
    allowed: u32,
    denied: u32,
    /// How many decisions had been made when this one was; shown to the client.
    decision: Option<u64>,
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        // As bytes: the SDK's other form panics, and so ends the VM, when a client sends what is not UTF-8.
        let credentials = self.get_http_request_header_bytes("authorization").unwrap_or_default();
        let credentials = String::from_utf8(credentials).unwrap_or_default();
        if credentials.is_empty() {
            self.deny(401, "no credentials\n", &[("www-authenticate", "Bearer")]);
            return Action::Pause;
        }
        let headers = vec![
            (":method", "GET"),
            (":path", "/auth"),
            (":authority", "auth"),
            ("authorization", credentials.as_str()),
        ];
        if let Err(status) = self.dispatch_http_call(&self.cluster, headers, None, vec![], TIMEOUT) {
            error!("cannot ask {}: {status:?}", self.cluster);
            self.deny(503, "authorisation is not available\n", &[]);
        }
        Action::Pause // Until the answer comes.
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(decision) = self.decision {
            self.set_http_response_header("x-auth-decision", Some(&decision.to_string()));
        }
        Action::Continue
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _token: u32, headers: usize, _body: usize, _trailers: usize) {
        // No headers: the proxy could not ask. Out of time, or refused: the proxy answers 504 or 503 in its place.
        let status = match headers {
            0 => "503".to_string(),
            _ => self.get_http_call_response_header(":status").unwrap_or_default(),
        };
        match status.as_str() {
            "200" => {
                let user = self.get_http_call_response_header("x-auth-user").unwrap_or_default();
                self.set_http_request_header("x-auth-user", Some(&user));
                self.record("allowed", self.allowed);
                self.resume_http_request();
            }
            failed if failed.starts_with('5') => self.deny(503, "authorisation is not available\n", &[]),
            _ => self.deny(403, "not allowed\n", &[]),
        }
    }
}

impl Stream {
    fn deny(&mut self, status: u32, text: &str, headers: &[(&str, &str)]) {
        self.record("denied", self.denied);
        self.send_http_response(status, headers.to_vec(), Some(text.as_bytes()));
    }

    /// Counts the decision where an operator looks (a metric) and where every worker's plugin can see it (shared data).
    fn record(&mut self, verdict: &str, metric: u32) {
        let _ = hostcalls::increment_metric(metric, 1);
        let count = self.count_decision();
        self.decision = Some(count);
        let path = self.get_property(vec!["request", "path"]).unwrap_or_default();
        info!("decision {count}: {verdict}, path: {}", String::from_utf8_lossy(&path));
    }

    /// Another worker may count at the same time: the write is refused if the value changed since it was read.
    fn count_decision(&self) -> u64 {
        loop {
            let (value, cas) = self.get_shared_data(DECISIONS);
            let count = value.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes) + 1;
            match self.set_shared_data(DECISIONS, Some(&count.to_le_bytes()), cas) {
                Err(Status::CasMismatch) => continue,
                _ => return count,
            }
        }
    }
}
