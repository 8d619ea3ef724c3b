#include "format/json_format.h"

#include <algorithm>

#include "format/json_text.h"
#include "format/tables.h"

namespace weir::format {
namespace {

constexpr int kMaxDepth = 32;

// Appends what `append` appends, escaped. Long values are the exception: short ones fit the string's own storage.
template <typename F>
bool appendEscaped(F append, std::string& out) {
  const size_t before = out.size();
  if (!append(out)) return false;
  // Nearly always nothing needs escaping, and then nothing is copied.
  const std::string_view added = std::string_view(out).substr(before);
  const bool plain = std::all_of(added.begin(), added.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
  });
  if (plain) return true;
  const std::string raw(added);
  out.resize(before);
  appendJsonEscaped(raw, out);
  return true;
}

}  // namespace

bool JsonSpec::operator==(const JsonSpec& other) const { return value == other.value; }

base::Result<JsonFormat> JsonFormat::create(const JsonSpec& root, bool omit_empty) {
  JsonFormat format;
  format.omit_empty_ = omit_empty;
  auto node = compile(root, 0);
  if (!node.ok()) return std::move(node).error();
  format.root_ = *std::move(node);
  return format;
}

base::Result<JsonFormat::Node> JsonFormat::compile(const JsonSpec& spec, int depth) {
  if (depth > kMaxDepth) return refused("nested deeper than 32 levels");
  Node node;
  if (const auto* text = std::get_if<std::string>(&spec.value)) return compileText(*text);
  if (const auto* list = std::get_if<JsonSpec::List>(&spec.value)) {
    node.kind = Node::Kind::List;
    for (size_t i = 0; i < list->size(); ++i) {
      auto child = compile((*list)[i], depth + 1);
      if (!child.ok()) return std::move(child).error().in("[" + std::to_string(i) + "]");
      node.children.push_back(*std::move(child));
    }
    return node;
  }
  if (const auto* object = std::get_if<JsonSpec::Object>(&spec.value)) {
    node.kind = Node::Kind::Object;
    std::vector<const JsonSpec::Property*> sorted;
    for (const auto& property : *object) sorted.push_back(&property);
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    for (const auto* property : sorted) {
      auto child = compile(property->value, depth + 1);
      if (!child.ok()) return std::move(child).error().in(property->name);
      node.children.push_back(*std::move(child));
      appendJsonString(property->name, node.children.back().name);
      node.children.back().name += ':';
    }
    return node;
  }
  if (const auto* number = std::get_if<double>(&spec.value)) {
    appendJsonNumber(*number, node.text);
  } else if (const auto* truth = std::get_if<bool>(&spec.value)) {
    node.text = *truth ? "true" : "false";
  } else {
    node.text = "null";
    node.null = true;
  }
  return node;
}

base::Result<JsonFormat::Node> JsonFormat::compileText(const std::string& text) {
  auto format = TextFormat::create(text);
  if (!format.ok()) return std::move(format).error();
  Node node;
  if (format->isConstant()) {
    std::string constant;
    for (const TextFormat::Piece& piece : format->pieces()) constant += piece.text;
    appendJsonString(constant, node.text);
    return node;
  }
  node.kind = format->pieces().size() == 1 ? Node::Kind::Single : Node::Kind::Mixed;
  node.format = *std::move(format);
  return node;
}

void JsonFormat::append(const Entry& entry, std::string& out) const { appendNode(root_, entry, out); }

bool JsonFormat::appendNode(const Node& node, const Entry& entry, std::string& out) const {
  switch (node.kind) {
    case Node::Kind::Constant:
      if (node.null && omit_empty_) return false;
      out += node.text;
      return true;
    case Node::Kind::Single: return appendSingle(node.format.pieces().front().operation, entry, out);
    case Node::Kind::Mixed: appendMixed(node.format, entry, out); return true;
    case Node::Kind::Object:
      if (node.children.empty() && omit_empty_ && !node.name.empty()) return false;
      out += '{';
      appendItems(node, entry, out);
      out += '}';
      return true;
    case Node::Kind::List:
      out += '[';
      appendItems(node, entry, out);
      out += ']';
      return true;
  }
  return false;
}

void JsonFormat::appendItems(const Node& node, const Entry& entry, std::string& out) const {
  bool first = true;
  for (const Node& child : node.children) {
    const size_t before = out.size();
    if (!first) out += ',';
    out += child.name;  // Of an object's property.
    if (!appendNode(child, entry, out)) {
      if (omit_empty_) {
        out.resize(before);
        continue;
      }
      out += "null";
    }
    first = false;
  }
}

bool JsonFormat::appendSingle(const Operator& operation, const Entry& entry, std::string& out) const {
  if (operation.kind == Operator::Kind::Number) return operation.append(entry, out);
  if (operation.kind == Operator::Kind::Json) return operation.append_json(entry, out);
  out += '"';
  if (appendEscaped([&](std::string& to) { return operation.append(entry, to); }, out)) {
    out += '"';
    return true;
  }
  out.pop_back();
  return false;
}

void JsonFormat::appendMixed(const TextFormat& format, const Entry& entry, std::string& out) const {
  out += '"';
  for (const TextFormat::Piece& piece : format.pieces()) {
    if (piece.isText()) {
      appendJsonEscaped(piece.text, out);
    } else if (!appendEscaped([&](std::string& to) { return piece.operation.append(entry, to); }, out) &&
               !omit_empty_) {
      out += '-';
    }
  }
  out += '"';
}

}  // namespace weir::format
