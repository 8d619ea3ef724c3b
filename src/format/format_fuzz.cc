// Format strings, compiled and run over an entry of which everything is known, as text and within JSON.
#include <cstdlib>

#include "format/format.h"
#include "format/test_entry.h"

using namespace weir::format;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static TestEntry test;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string out;
  auto format = TextFormat::create(text);
  auto json = JsonFormat::create({JsonSpec::Object{{"a", {std::string(text)}}}}, size % 2 == 0);
  if (format.ok() != json.ok()) std::abort();
  if (!format.ok()) return 0;
  format->append(test.entry(), size % 2 == 0, out);
  out.clear();
  json->append(test.entry(), out);
  // Whatever came in, the line is one line.
  if (out.find('\n') != std::string::npos) std::abort();
  return 0;
}
