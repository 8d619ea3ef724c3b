//! How bytes, header pairs and bodies appear in the guest's log lines, and how pairs travel to the host.

/// Printable text as it is, anything else as `\xNN`; long values as their size and a hash.
pub fn show(bytes: &[u8]) -> String {
    if bytes.len() > 300 {
        return format!("<{} bytes, hash {:08x}>", bytes.len(), hash(bytes));
    }
    bytes.iter().map(|&b| if (32..127).contains(&b) { (b as char).to_string() } else { format!("\\x{b:02x}") }).collect()
}

fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c9dc5, |h, &b| (h ^ b as u32).wrapping_mul(0x01000193))
}

/// Pairs in the ABI's own form: count, sizes, then the texts with a NUL after each.
pub fn encode(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = (pairs.len() as u32).to_le_bytes().to_vec();
    for (key, value) in pairs {
        out.extend((key.len() as u32).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
    }
    for (key, value) in pairs {
        for text in [key, value] {
            out.extend(text);
            out.push(0);
        }
    }
    out
}

/// The pairs that the host gave, or nothing where they are not well formed.
pub fn parse(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    if bytes.is_empty() {
        return Some(vec![]);
    }
    let count = number(0)?;
    let mut at = 4 + 8 * count;
    let mut pairs = vec![];
    for index in 0..count {
        let mut text = |size: usize| {
            let text = bytes.get(at..at + size)?.to_vec();
            at += size + 1;
            Some(text)
        };
        let key = text(number(4 + 8 * index)?)?;
        pairs.push((key, text(number(8 + 8 * index)?)?));
    }
    Some(pairs)
}

/// `a=1,b=2` as pairs; `-` is none at all.
pub fn listed(word: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    if word.is_empty() || word == b"-" {
        return vec![];
    }
    word.split(|&b| b == b',')
        .map(|pair| match pair.iter().position(|&b| b == b'=') {
            Some(at) => (pair[..at].to_vec(), pair[at + 1..].to_vec()),
            None => (pair.to_vec(), vec![]),
        })
        .collect()
}
