// What @solo-io/proxy-runtime 0.1.8 lacks, or has with a wrong type: the plugin's configuration (its own reader stores a
// length at an address that is not its), writing to a body, and shared data. Here they are as the ABI has them.

import { BufferTypeValues, get_buffer_bytes, WasmResultValues } from "@solo-io/proxy-runtime/runtime";

// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(buffer: u32, start: u32, count: u32, data: usize, size: u32): u32;

// @ts-ignore: decorator
@external("env", "proxy_get_shared_data")
declare function proxy_get_shared_data(key: usize, keySize: u32, value: usize, valueSize: usize, version: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_set_shared_data")
declare function proxy_set_shared_data(key: usize, keySize: u32, value: usize, valueSize: u32, version: u32): u32;

/** The plugin's configuration as text. Ask inside onConfigure, with the size that it was given. */
export function configurationText(size: u32): string {
  if (size == 0) return "";
  return String.UTF8.decode(get_buffer_bytes(BufferTypeValues.PluginConfiguration, 0, size));
}

/** Puts text in the place of [start, start + count) of a body. Returns how many bytes the text has. */
export function setBody(body: BufferTypeValues, start: u32, count: u32, text: string): u32 {
  const bytes = String.UTF8.encode(text);
  proxy_set_buffer_bytes(body, start, count, changetype<usize>(bytes), bytes.byteLength);
  return bytes.byteLength;
}

/** A body as text; bytes that are not UTF-8 are replaced. */
export function bodyText(body: BufferTypeValues, size: u32): string {
  if (size == 0) return "";
  return String.UTF8.decode(get_buffer_bytes(body, 0, size));
}

/** The host writes an address, a size and a version here. */
class Returned {
  data: usize = 0;
  size: u32 = 0;
  version: u32 = 0;
}

/**
 * Counts one up in shared data, and returns the new count. Another worker may count at the same time: the write is
 * refused if the value changed since it was read.
 */
export function countShared(name: string): u64 {
  const key = String.UTF8.encode(name);
  while (true) {
    const old = new Returned();
    const at = changetype<usize>(old);
    const status = proxy_get_shared_data(
      changetype<usize>(key), key.byteLength,
      at + offsetof<Returned>("data"), at + offsetof<Returned>("size"), at + offsetof<Returned>("version"));
    let count: u64 = 1;
    if (status == WasmResultValues.Ok && old.size == 8) {
      count += load<u64>(old.data);
      __release(old.data); // The SDK's malloc retained it.
    }
    const value = new ArrayBuffer(8);
    store<u64>(changetype<usize>(value), count);
    const written = proxy_set_shared_data(
      changetype<usize>(key), key.byteLength, changetype<usize>(value), 8, old.version);
    if (written != WasmResultValues.CasMismatch) return count;
  }
  return 0;
}
