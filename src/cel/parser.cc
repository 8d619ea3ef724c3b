// CEL's grammar, by recursive descent. What a chain of operators nests in the tree, and what parentheses nest in the
// parser, is limited alike.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cel/lexer.h"
#include "cel/syntax.h"

namespace weir::cel {
namespace {

using Kind = Token::Kind;
using Operation = Node::Operation;

struct BinarySign {
  std::string_view sign;
  Operation operation;
};
constexpr std::array<BinarySign, 7> kRelations = {{{"==", Operation::Equal},
                                                   {"!=", Operation::NotEqual},
                                                   {"<", Operation::Less},
                                                   {"<=", Operation::LessEqual},
                                                   {">", Operation::Greater},
                                                   {">=", Operation::GreaterEqual},
                                                   {"in", Operation::In}}};
constexpr std::array<BinarySign, 2> kSums = {{{"+", Operation::Add}, {"-", Operation::Subtract}}};
constexpr std::array<BinarySign, 3> kProducts = {
    {{"*", Operation::Multiply}, {"/", Operation::Divide}, {"%", Operation::Modulo}}};

constexpr std::string_view kReserved[] = {"as",        "break",  "const",  "continue", "else",  "for",
                                          "function",  "if",     "import", "let",      "loop",  "package",
                                          "namespace", "return", "var",    "void",     "while", "in"};

bool reserved(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

std::optional<Node::MacroKind> macroFor(std::string_view name, size_t arguments) {
  if (name == "map" && (arguments == 2 || arguments == 3)) return Node::MacroKind::Map;
  if (arguments != 2) return std::nullopt;
  if (name == "all") return Node::MacroKind::All;
  if (name == "exists") return Node::MacroKind::Exists;
  if (name == "exists_one") return Node::MacroKind::ExistsOne;
  if (name == "filter") return Node::MacroKind::Filter;
  return std::nullopt;
}

// Each function gives the index of a node, or kNone once anything has failed; failed_ says where.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { advance(); }

  base::Result<Tree> parse() {
    tree_.root = expression();
    if (!failed_ && token_.kind != Kind::End) fail("it goes on after its end");
    if (failed_) return base::Error{base::Code::InvalidArgument, base::Side::Plugin, base::Retry::No, why_};
    return std::move(tree_);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  void advance() { token_ = lexer_.next(); }
  uint32_t fail(std::string_view why) {
    if (!failed_) why_ = fmt::format("at {}: {}", token_.at, why);
    failed_ = true;
    return kNone;
  }
  bool at(std::string_view sign) const { return token_.kind == Kind::Sign && token_.text == sign; }
  bool take(std::string_view sign) {
    if (!at(sign)) return false;
    advance();
    return true;
  }
  bool expect(std::string_view sign) {
    if (failed_ || take(sign)) return !failed_;
    fail(fmt::format("{} is missing", sign));
    return false;
  }

  uint32_t add(Node node) {
    if (failed_) return kNone;
    for (const uint32_t child : node.children) node.depth = std::max(node.depth, tree_.nodes[child].depth + 1);
    if (node.depth > kMaxDepth) return fail("it is nested too deep");
    tree_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(tree_.nodes.size() - 1);
  }
  uint32_t add(Node::Kind kind, std::vector<uint32_t> children) {
    return add({.kind = kind, .children = std::move(children)});
  }
  uint32_t literal(Value value) { return add({.kind = Node::Kind::Literal, .value = std::move(value)}); }

  // e ? e : expression
  uint32_t expression() {
    if (++depth_ > kMaxDepth) return fail("it is nested too deep");
    uint32_t node = disjunction();
    if (!failed_ && take("?")) {
      const uint32_t then = disjunction();
      if (!expect(":")) return kNone;
      const uint32_t otherwise = expression();
      node = add(Node::Kind::Conditional, {node, then, otherwise});
    }
    --depth_;
    return node;
  }

  uint32_t disjunction() {
    uint32_t left = conjunction();
    while (!failed_ && take("||")) left = join(Node::Kind::Or, left, conjunction());
    return left;
  }
  uint32_t conjunction() {
    uint32_t left = binary(kRelations, &Parser::sum);
    while (!failed_ && take("&&")) left = join(Node::Kind::And, left, binary(kRelations, &Parser::sum));
    return left;
  }
  uint32_t join(Node::Kind kind, uint32_t left, uint32_t right) { return failed_ ? kNone : add(kind, {left, right}); }

  uint32_t sum() { return binary(kSums, &Parser::product); }
  uint32_t product() { return binary(kProducts, &Parser::unary); }

  template <size_t N>
  uint32_t binary(const std::array<BinarySign, N>& signs, uint32_t (Parser::*operand)()) {
    uint32_t left = (this->*operand)();
    while (!failed_) {
      const bool is_word = token_.kind == Kind::Name && token_.text == "in";
      if (token_.kind != Kind::Sign && !is_word) break;
      const auto found = std::find_if(signs.begin(), signs.end(), [&](const auto& s) { return s.sign == token_.text; });
      if (found == signs.end()) break;
      advance();
      const uint32_t right = (this->*operand)();
      if (failed_) break;
      left = add({.kind = Node::Kind::Binary, .operation = found->operation, .children = {left, right}});
    }
    return failed_ ? kNone : left;
  }

  // Signs in a row cancel each other out, whatever stands behind them.
  uint32_t unary() {
    for (const auto& [sign, kind] : {std::pair{"!", Node::Kind::Not}, std::pair{"-", Node::Kind::Negate}}) {
      if (!at(sign)) continue;
      bool odd = false;
      bool number_next = false;
      while (take(sign)) {
        odd = !odd;
        number_next = token_.kind == Kind::Number || token_.kind == Kind::MinInt;
      }
      if (odd && kind == Node::Kind::Negate && number_next) return members(negativeNumber());
      const uint32_t operand = members(primary());
      if (failed_) return kNone;
      return odd ? add(kind, {operand}) : operand;
    }
    return members(primary());
  }

  uint32_t negativeNumber() {
    Value value = token_.value;
    if (token_.kind == Kind::MinInt) {
      value = Value(INT64_MIN);
    } else if (value.is(Value::Kind::Int)) {
      value = Value(-value.integer());
    } else if (value.is(Value::Kind::Double)) {
      value = Value(-value.real());
    } else {
      const uint32_t operand = primary();
      return failed_ ? kNone : add(Node::Kind::Negate, {operand});
    }
    advance();
    return literal(std::move(value));
  }

  // .name, .name(...), [index]
  uint32_t members(uint32_t node) {
    while (!failed_) {
      if (take(".")) {
        node = member(node);
      } else if (take("[")) {
        const uint32_t index = expression();
        if (expect("]")) node = add(Node::Kind::Index, {node, index});
      } else {
        break;
      }
    }
    return failed_ ? kNone : node;
  }

  uint32_t member(uint32_t of) {
    if (token_.kind != Kind::Name && token_.kind != Kind::QuotedName) return fail("no name after the point");
    const bool may_call = token_.kind == Kind::Name;
    const std::string name(token_.text);
    if (name == "in") return fail("no name after the point");
    advance();
    if (may_call && take("(")) return methodCall(of, name);
    return add({.kind = Node::Kind::Select, .text = name, .children = {of}});
  }

  uint32_t methodCall(uint32_t of, const std::string& name) {
    std::vector<uint32_t> arguments = list(")");
    if (failed_) return kNone;
    if (const auto macro = macroFor(name, arguments.size())) return macroCall(of, *macro, arguments);
    const auto function = findFunction(name, arguments.size() + 1, true);
    if (!function) return fail(fmt::format("no function {} of a value with {} arguments", name, arguments.size()));
    arguments.insert(arguments.begin(), of);
    return add({.kind = Node::Kind::Call, .function = *function, .children = std::move(arguments)});
  }

  uint32_t macroCall(uint32_t of, Node::MacroKind macro, const std::vector<uint32_t>& arguments) {
    const Node& variable = tree_.nodes[arguments[0]];
    if (variable.kind != Node::Kind::Name) return fail("a macro's variable must be a name");
    Node node{.kind = Node::Kind::Macro, .macro = macro, .text = variable.text, .children = {of}};
    node.children.insert(node.children.end(), arguments.begin() + 1, arguments.end());
    return add(std::move(node));
  }

  uint32_t primary() {
    const Token token = token_;
    if (token.kind == Kind::Number || token.kind == Kind::Text) {
      advance();
      return literal(token.value);
    }
    if (token.kind == Kind::Name) return named();
    if (take("(")) {
      const uint32_t inner = expression();
      return expect(")") ? inner : kNone;
    }
    if (take("[")) {
      std::vector<uint32_t> elements = list("]", true);
      return add(Node::Kind::List, std::move(elements));
    }
    if (take("{")) return map();
    if (take(".")) return token_.kind == Kind::Name ? named() : fail("no name after the point");
    return fail(token.kind == Kind::End ? "it ends too early" : "unexpected");
  }

  uint32_t named() {
    const std::string name(token_.text);
    if (reserved(name)) return fail(fmt::format("{} is reserved", name));
    advance();
    if (take("(")) return globalCall(name);
    if (name == "true" || name == "false") return literal(Value(name == "true"));
    if (name == "null") return literal(Value());
    return add({.kind = Node::Kind::Name, .text = name});
  }

  uint32_t globalCall(const std::string& name) {
    std::vector<uint32_t> arguments = list(")");
    if (failed_) return kNone;
    if (name == "has") return has(arguments);
    const auto function = findFunction(name, arguments.size(), false);
    if (!function) return fail(fmt::format("no function {} with {} arguments", name, arguments.size()));
    return add({.kind = Node::Kind::Call, .function = *function, .children = std::move(arguments)});
  }

  uint32_t has(const std::vector<uint32_t>& arguments) {
    if (arguments.size() != 1 || tree_.nodes[arguments[0]].kind != Node::Kind::Select) {
      return fail("has() asks for a field");
    }
    Node node = tree_.nodes[arguments[0]];
    node.kind = Node::Kind::Has;
    return add(std::move(node));
  }

  // Expressions with commas between them, up to the closing sign, which is taken.
  std::vector<uint32_t> list(std::string_view close, bool comma_may_end = false) {
    std::vector<uint32_t> out;
    if (take(close)) return out;
    do {
      if (comma_may_end && !out.empty() && at(close)) break;
      out.push_back(expression());
    } while (!failed_ && take(","));
    expect(close);
    return out;
  }

  uint32_t map() {
    std::vector<uint32_t> entries;
    while (!failed_ && !at("}")) {
      entries.push_back(expression());
      if (!expect(":")) return kNone;
      entries.push_back(expression());
      if (failed_ || !take(",")) break;
    }
    if (!expect("}")) return kNone;
    return add(Node::Kind::Map, std::move(entries));
  }

  Lexer lexer_;
  Token token_;
  Tree tree_;
  uint32_t depth_ = 0;
  bool failed_ = false;
  std::string why_;
};

}  // namespace

base::Result<Tree> parse(std::string_view text) {
  if (text.size() > kMaxText) {
    return base::Error{base::Code::InvalidArgument, base::Side::Plugin, base::Retry::No,
                       fmt::format("it is longer than {} bytes", kMaxText)};
  }
  return Parser(text).parse();
}

}  // namespace weir::cel
