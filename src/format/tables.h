// The operators' tables, by subject; inside of `format`.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <span>

#include "format/operator.h"

namespace weir::format {

// An operator without parameter and length.
struct PlainRow {
  std::string_view name;
  Operator::Kind kind;
  bool (*append)(const Entry&, std::string& out);
};
std::span<const PlainRow> messageRows();     // Codes, bytes, flags, names.
std::span<const PlainRow> durationRows();    // %DURATION% and its kin.
std::span<const PlainRow> connectionRows();  // Addresses and connections, both sides.
std::span<const PlainRow> tlsRows();         // Certificates and sessions, both sides.

// An operator that may or must have a parameter, or a length.
struct RowWithParameter {
  enum class Parameter : uint8_t { None, Optional, Required };
  std::string_view name;
  Parameter parameter;
  bool takes_length;
  base::Result<Operator> (*create)(const Command&);
};
std::span<const RowWithParameter> headerRows();
std::span<const RowWithParameter> timeRows();
std::span<const RowWithParameter> addressRows();
std::span<const RowWithParameter> metadataRows();
std::span<const RowWithParameter> pluginRows();  // weir's own.
std::span<const RowWithParameter> otherRows();

// What Envoy has and weir has not, with the reason.
struct MissingRow {
  std::string_view name;
  std::string_view reason;
};
std::span<const MissingRow> missingRows();

// ---- For writing the rows.

inline base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

inline bool put(std::string& out, std::string_view text) {
  out.append(text);
  return true;
}
// An empty text counts as absent.
inline bool putKnown(std::string& out, std::string_view text) {
  out.append(text);
  return !text.empty();
}
template <typename T>
bool putNumber(std::string& out, T number) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
  return true;
}
inline std::string_view cut(std::string_view text, std::optional<size_t> length) {
  return length ? text.substr(0, *length) : text;
}

}  // namespace weir::format
