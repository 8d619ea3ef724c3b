//! The script that drives the guest.
//!
//!     request_headers: pairs 0; set 0 x-a 1; return 1
//!     request_body: body 0 0 9999; eos? setbody 0 0 9999 changed
//!
//! One phase per line (or between `|`), operations separated by `;`, words by blanks. Words are percent-decoded after
//! the splitting, so `%20`, `%3B`, `%7C` and `%00` say what would otherwise separate.

#[derive(Clone)]
pub struct Op {
    pub name: String,
    pub words: Vec<Vec<u8>>,
    pub text: String,
}

#[derive(Clone, Default)]
pub struct Script {
    phases: Vec<(String, Vec<Op>)>,
}

impl Script {
    pub fn parse(text: &str) -> Script {
        let mut script = Script::default();
        for line in text.split(|c| c == '|' || c == '\n') {
            if let Some((phase, ops)) = line.trim().split_once(':') {
                let ops = ops.split(';').filter_map(parse_op).collect();
                script.phases.push((phase.trim().to_string(), ops));
            }
        }
        script
    }

    pub fn ops(&self, phase: &str) -> Vec<Op> {
        self.phases.iter().filter(|(name, _)| name == phase).flat_map(|(_, ops)| ops.clone()).collect()
    }

    /// The single word of a setting such as `header: x-script-2`.
    pub fn setting(&self, name: &str) -> Option<String> {
        self.ops(name).first().map(|op| op.name.clone())
    }
}

impl Op {
    pub fn bytes(&self, index: usize) -> &[u8] {
        self.words.get(index).map_or(&[], |word| word.as_slice())
    }

    pub fn word(&self, index: usize) -> String {
        String::from_utf8_lossy(self.bytes(index)).into_owned()
    }

    pub fn number(&self, index: usize) -> i64 {
        self.word(index).parse().unwrap_or(0)
    }

    /// The rest of the words, joined again by single blanks.
    pub fn rest(&self, from: usize) -> Vec<u8> {
        self.words.get(from..).map_or_else(Vec::new, |words| words.join(&b' '))
    }

    /// The words after a prefix such as `eos?`, as an operation of their own.
    pub fn inner(&self) -> Option<Op> {
        parse_op(self.text.split_once(' ')?.1)
    }
}

fn parse_op(text: &str) -> Option<Op> {
    let text = text.trim();
    let mut words = text.split_whitespace();
    let name = words.next()?.to_string();
    Some(Op { name, words: words.map(decode).collect(), text: text.to_string() })
}

pub fn decode(word: &str) -> Vec<u8> {
    let bytes = word.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}
