#include "config/message_file.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "config/document.h"
#include "config/message_reader.h"

namespace weir::config {
namespace {

class TextFaults final : public google::protobuf::io::ErrorCollector {
 public:
  TextFaults(uint16_t source, Report& report) : source_(source), report_(report) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    const Position position{source_, static_cast<uint32_t>(line + 1), static_cast<uint32_t>(column + 1)};
    report_.faultAt(FaultKind::Syntax, position, message);
  }

 private:
  uint16_t source_;
  Report& report_;
};

// The configuration may come through a pipe, so its size is not known before.
std::optional<std::string> readFile(const std::string& path, uint16_t source, Report& report) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  std::string content;
  while (file && content.size() <= kMaxDocumentBytes) {
    char block[64 * 1024];
    const size_t got = std::fread(block, 1, sizeof(block), file.get());
    if (got == 0) break;
    content.append(block, got);
  }
  if (file && std::ferror(file.get()) == 0) return content;  // Too much of it is refused by who reads it.
  const int reason = errno;
  report.faultAt(FaultKind::File, {source, 0, 0},
                 fmt::format("cannot read the configuration: {}", std::strerror(reason)));
  return std::nullopt;
}

bool readProtoText(const std::string& text, uint16_t source, Report& report, google::protobuf::Message& out) {
  TextFaults faults(source, report);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&faults);
  parser.SetRecursionLimit(static_cast<int>(kMaxDepth));
  return parser.ParseFromString(text, &out);
}

}  // namespace

bool readMessageFile(const std::string& path, bool allow_unknown, Report& report, google::protobuf::Message& out) {
  const uint16_t source = report.addSource(path);
  const std::optional<std::string> text = readFile(path, source, report);
  if (!text) return false;
  if (text->size() > kMaxDocumentBytes) {
    report.faultAt(FaultKind::Limit, {source, 0, 0}, fmt::format("larger than {} bytes", kMaxDocumentBytes));
    return false;
  }
  if (path.ends_with(".pb")) {
    if (out.ParseFromString(*text)) return true;
    report.faultAt(FaultKind::Syntax, {source, 0, 0},
                   fmt::format("not a binary {} message", out.GetDescriptor()->name()));
    return false;
  }
  if (path.ends_with(".pb_text")) return readProtoText(*text, source, report, out);
  Node node;
  const bool read =
      path.ends_with(".json") ? readJson(*text, source, report, node) : readYaml(*text, source, report, node);
  if (read) MessageReader(report, allow_unknown).read(node, out, Place(report, ""));
  return read;
}

}  // namespace weir::config
