#include "format/format.h"

namespace weir::format {

base::Result<Format> Format::create(const FormatSpec& spec) {
  Format format;
  format.omit_empty_ = spec.omit_empty;
  const bool json = spec.kind == FormatSpec::Kind::Json;
  format.content_type_ = !spec.content_type.empty() ? spec.content_type : json ? "application/json" : "text/plain";
  if (json) {
    auto compiled = JsonFormat::create(spec.json, spec.omit_empty);
    if (!compiled.ok()) return std::move(compiled).error();
    format.compiled_ = *std::move(compiled);
    return format;
  }
  auto compiled = TextFormat::create(spec.text);
  if (!compiled.ok()) return std::move(compiled).error();
  format.compiled_ = *std::move(compiled);
  return format;
}

void Format::append(const Entry& entry, std::string& out) const {
  if (const auto* text = std::get_if<TextFormat>(&compiled_)) return text->append(entry, omit_empty_, out);
  std::get<JsonFormat>(compiled_).append(entry, out);
  out += '\n';
}

}  // namespace weir::format
