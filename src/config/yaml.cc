// YAML text to Node, by yaml-cpp's events, so that anchors and depth can be bounded before anything is built.
#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/convert.h>
#include <yaml-cpp/parser.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <unordered_map>

#include "base/utf8.h"
#include "config/document.h"

namespace weir::config {
namespace {

// yaml-cpp reports by exception; so does the builder below when it refuses something. Neither leaves this file.
struct Refusal {
  Position position;
  std::string message;
  FaultKind kind = FaultKind::Limit;
};

constexpr int64_t kMaxInt = int64_t{1} << 31;  // Envoy keeps longer integers as strings.

void classify(const std::string& tag, const std::string& text, Node& node) {
  node.kind = Node::Kind::String;
  node.text = text;
  if (tag == "!") return;  // In quotes, or a block.

  bool flag = false;
  int64_t number = 0;
  const YAML::Node plain(text);
  if (YAML::convert<bool>::decode(plain, flag)) {
    node.kind = Node::Kind::Bool;
    node.text = flag ? "true" : "false";
  } else if (YAML::convert<int64_t>::decode(plain, number)) {
    node.text = std::to_string(number);
    if (number < kMaxInt && number >= -kMaxInt) node.kind = Node::Kind::Number;
  }
}

size_t countNodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += countNodes(item);
  for (const Node::Member& member : node.members) count += countNodes(member.value);
  return count;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(uint16_t source, Node& root) : source_(source), root_(root) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.position = at(mark);
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    // An anchor that is still open: its node would contain itself.
    if (found == anchors_.end())
      throw Refusal{at(mark), "an alias stands inside of what it repeats", FaultKind::Syntax};
    aliased_ += found->second.nodes;
    if (aliased_ > kMaxAliasedNodes) {
      throw Refusal{at(mark), fmt::format("aliases repeat more than {} values", kMaxAliasedNodes)};
    }
    if (open_.size() + found->second.depth > kMaxDepth) throw tooDeep(mark);
    Node copy = found->second.node;
    copy.position = at(mark);
    add(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!base::isUtf8(value)) throw Refusal{at(mark), "not UTF-8", FaultKind::Syntax};
    Node node;
    node.position = at(mark);
    if (expectsKey()) {
      node.kind = Node::Kind::String;  // A key is its text: `n: 1` has the key n.
      node.text = value;
    } else {
      classify(tag, value, node);
    }
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::List, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::Map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    Position key_position;
    size_t depth = 1;  // Of what it holds, itself included.
  };
  struct Anchored {
    Node node;
    size_t nodes = 0;
    size_t depth = 0;
  };

  Position at(const YAML::Mark& mark) const {
    return {source_, static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
  }
  Refusal tooDeep(const YAML::Mark& mark) const {
    return {at(mark), fmt::format("nested deeper than {} levels", kMaxDepth)};
  }

  bool expectsKey() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::Map && !open_.back().has_key;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) throw tooDeep(mark);
    Open level;
    level.node.kind = kind;
    level.node.position = at(mark);
    level.anchor = anchor;
    open_.push_back(std::move(level));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (!open_.empty()) open_.back().depth = std::max(open_.back().depth, done.depth + 1);
    add(std::move(done.node), done.anchor, done.depth);
  }

  void add(Node node, YAML::anchor_t anchor, size_t depth = 0) {
    if (anchor != 0) {
      const size_t nodes = countNodes(node);
      aliased_ += nodes;  // The kept copy counts too.
      if (aliased_ > kMaxAliasedNodes) {
        throw Refusal{node.position, fmt::format("anchors hold more than {} values", kMaxAliasedNodes)};
      }
      anchors_[anchor] = {node, nodes, depth};
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::List) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (!node.isScalar()) {
        throw Refusal{node.position, "a mapping's key is a list or a mapping", FaultKind::Syntax};
      }
      parent.has_key = true;
      parent.key_position = node.position;
      parent.key = std::move(node.text);
    } else {
      parent.has_key = false;
      parent.node.members.push_back({std::move(parent.key), parent.key_position, std::move(node)});
    }
  }

  uint16_t source_;
  Node& root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  size_t aliased_ = 0;
};

class NothingBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { throw mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

void tellOfFurtherDocuments(YAML::Parser& parser, uint16_t source, Report& report) {
  NothingBuilder nothing;
  try {
    parser.HandleNextDocument(nothing);
  } catch (const YAML::Mark& mark) {
    report.noticeAt({source, static_cast<uint32_t>(mark.line + 1), 1},
                    "a second YAML document begins here; only the first is read, as in Envoy");
  }
}

}  // namespace

bool readYaml(std::string_view text, uint16_t source, Report& report, Node& out) {
  if (text.size() > kMaxDocumentBytes) {
    report.faultAt(FaultKind::Limit, {source, 0, 0}, fmt::format("larger than {} bytes", kMaxDocumentBytes));
    return false;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(source, out);
    if (!parser.HandleNextDocument(builder)) {
      report.faultAt(FaultKind::Syntax, {source, 0, 0}, "the document is empty");
      return false;
    }
    tellOfFurtherDocuments(parser, source, report);
    return true;
  } catch (const Refusal& refusal) {
    report.faultAt(refusal.kind, refusal.position, refusal.message);
  } catch (const YAML::Exception& fault) {
    const bool somewhere = !fault.mark.is_null();
    const Position position{source, somewhere ? static_cast<uint32_t>(fault.mark.line + 1) : 0,
                            somewhere ? static_cast<uint32_t>(fault.mark.column + 1) : 0};
    report.faultAt(FaultKind::Syntax, position, fmt::format("not YAML: {}", fault.msg));
  }
  return false;
}

}  // namespace weir::config
