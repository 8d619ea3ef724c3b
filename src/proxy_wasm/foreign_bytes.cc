// compress and uncompress (zlib), verify_signature and sign.
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/wire.h"
#include "proxy_wasm/foreign.h"
#include "tls/signature.h"

namespace weir::proxy_wasm {
namespace {

Bytef* bytesOf(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

AbiStatus deflated(std::string_view bytes, std::string& result) {
  uLongf size = compressBound(bytes.size());
  result.resize(size);
  if (compress(bytesOf(result), &size, bytesOf(bytes), bytes.size()) != Z_OK) {
    result.clear();
    return AbiStatus::SerializationFailure;
  }
  result.resize(size);
  return AbiStatus::Ok;
}

// As Envoy: what follows the stream is left alone.
AbiStatus inflated(std::string_view bytes, std::string& result) {
  constexpr size_t kStep = 64 * 1024;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return AbiStatus::SerializationFailure;
  stream.next_in = bytesOf(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  int state = Z_OK;
  while (state == Z_OK && result.size() < kMaxUncompressed) {
    const size_t before = result.size();
    result.resize(before + kStep);
    stream.next_out = bytesOf(result) + before;
    stream.avail_out = kStep;
    state = inflate(&stream, Z_NO_FLUSH);
    result.resize(before + kStep - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state == Z_STREAM_END && result.size() <= kMaxUncompressed) return AbiStatus::Ok;
  result.clear();
  return AbiStatus::SerializationFailure;
}

AbiStatus compressBytes(Call&, std::string_view arguments, std::string& result) { return deflated(arguments, result); }

AbiStatus uncompressBytes(Call&, std::string_view arguments, std::string& result) {
  return inflated(arguments, result);
}

// VerifySignatureArguments{hash_function, public_key, signature, text, public_key_pem};
// VerifySignatureResult{result, error}.
AbiStatus verifySignature(Call&, std::string_view arguments, std::string& result) {
  const ForeignMessage fields = readForeignMessage(arguments, 1u << 1 | 1u << 5);
  const auto& [unused, digest, key, signature, text, pem] = fields.texts;
  if (!fields.well_formed || key.empty() == pem.empty()) return AbiStatus::BadArgument;
  const auto verified = tls::verifySignature(digest, {key, pem}, signature, text);
  verified.ok() ? base::putField(1, uint64_t{1}, result) : base::putField(2, verified.error().detail, result);
  return AbiStatus::Ok;
}

// SignArguments{hash_function, private_key, text, private_key_pem}; SignResult{result, signature, error}.
AbiStatus signText(Call&, std::string_view arguments, std::string& result) {
  const ForeignMessage fields = readForeignMessage(arguments, 1u << 1 | 1u << 4);
  const auto& [unused, digest, key, text, pem, unknown] = fields.texts;
  if (!fields.well_formed || key.empty() == pem.empty()) return AbiStatus::BadArgument;
  const auto signature = tls::sign(digest, {key, pem}, text);
  if (!signature.ok()) {
    base::putField(3, signature.error().detail, result);
    return AbiStatus::Ok;
  }
  base::putField(1, uint64_t{1}, result);
  base::putField(2, *signature, result);
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
