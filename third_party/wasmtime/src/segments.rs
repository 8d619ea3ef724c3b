//! The data segments of a snapshot. Wizer leaves an empty one for each that the module had, and up to ten thousand more,
//! one for each stretch of bytes that are not zero; official Go's modules have 27,000. Each costs every instance a few
//! nanoseconds. Here the empty ones go, and stretches less than a page apart become one: the image from which memory is
//! mapped is made of whole pages, so the zeros between cost nothing.
use wasm_encoder::{ConstExpr, DataSection, Module, RawSection};
use wasmparser::{Data, DataKind, Operator, Parser, Payload};
use wasmtime_c_api::wasmtime;

const PAGE: u64 = 4096;

struct Segment {
    at: u64,
    bytes: Vec<u8>,
}

/// The module with fewer segments, or as it was where that cannot be: its code may name segments (then it says how many
/// there are beforehand), or it has several memories or places that are not constant.
pub fn join(module: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
    Ok(joined(&module)?.unwrap_or(module))
}

fn joined(module: &[u8]) -> wasmtime::Result<Option<Vec<u8>>> {
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::DataCountSection { .. } => return Ok(None),
            Payload::DataSection(reader) => {
                let segments: Vec<Data<'_>> = reader.into_iter().collect::<Result<_, _>>()?;
                match merged(&segments) {
                    Some(merged) => out.section(&encoded(&merged)),
                    None => return Ok(None),
                };
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    out.section(&RawSection {
                        id,
                        data: &module[range],
                    });
                }
            }
        }
    }
    Ok(Some(out.finish()))
}

/// None: they do not lie one behind the other in the one memory. Wizer leaves them in no order where there are too many.
/// Passive ones, which nobody names, are nobody's.
fn merged(segments: &[Data<'_>]) -> Option<Vec<Segment>> {
    let mut placed: Vec<(u64, &[u8])> = Vec::new();
    for segment in segments {
        if matches!(segment.kind, DataKind::Passive) {
            continue;
        }
        placed.push((place(segment)?, segment.data));
    }
    placed.sort_by_key(|(at, _)| *at);

    let mut merged: Vec<Segment> = Vec::new();
    for (at, bytes) in placed {
        if let Some(last) = merged.last_mut() {
            let end = last.at + last.bytes.len() as u64;
            let gap = at.checked_sub(end)?;
            if gap < PAGE {
                last.bytes.resize(last.bytes.len() + gap as usize, 0);
                last.bytes.extend_from_slice(bytes);
                continue;
            }
        }
        merged.push(Segment {
            at,
            bytes: bytes.to_vec(),
        });
    }
    Some(merged)
}

fn place(segment: &Data<'_>) -> Option<u64> {
    let DataKind::Active {
        memory_index: 0,
        offset_expr,
    } = &segment.kind
    else {
        return None;
    };
    let mut operators = offset_expr.get_operators_reader();
    let at = match operators.read().ok()? {
        Operator::I32Const { value } => u64::from(value as u32),
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(at)
}

fn encoded(segments: &[Segment]) -> DataSection {
    let mut section = DataSection::new();
    for segment in segments {
        section.active(
            0,
            &ConstExpr::i32_const(segment.at as u32 as i32),
            segment.bytes.iter().copied(),
        );
    }
    section
}
