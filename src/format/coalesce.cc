// %COALESCE({"operators": [...]})%: the first of several operators that has something to say.
#include <cmath>

#include "format/json_read.h"
#include "format/tables.h"

namespace weir::format {
namespace {

constexpr size_t kMaxOperators = 32;

const JsonSpec* member(const JsonSpec::Object& object, std::string_view name) {
  for (const auto& [key, value] : object) {
    if (key == name) return &value;
  }
  return nullptr;
}

// "NAME", or {"command": "NAME", "param": "...", "max_length": 5}.
base::Result<Operator> createPart(const JsonSpec& part) {
  if (const auto* name = std::get_if<std::string>(&part.value))
    return createOperator({*name, std::nullopt, std::nullopt});
  const auto* object = std::get_if<JsonSpec::Object>(&part.value);
  if (object == nullptr) return refused("COALESCE: an operator is a name or an object with \"command\"");
  const JsonSpec* command = member(*object, "command");
  const auto* name = command == nullptr ? nullptr : std::get_if<std::string>(&command->value);
  if (name == nullptr) return refused("COALESCE: an operator needs a \"command\"");
  Command made{*name, std::nullopt, std::nullopt};
  if (const JsonSpec* given = member(*object, "param")) {
    const auto* text = std::get_if<std::string>(&given->value);
    if (text == nullptr) return refused("COALESCE: \"param\" is a string");
    made.parameter = *text;
  }
  if (const JsonSpec* given = member(*object, "max_length")) {
    const auto* number = std::get_if<double>(&given->value);
    if (number == nullptr || !(*number > 0 && *number < 1e9) || std::trunc(*number) != *number) {
      return refused("COALESCE: \"max_length\" is a positive number");
    }
    made.length = static_cast<size_t>(*number);
  }
  return createOperator(made);
}

}  // namespace

base::Result<Operator> createCoalesce(const Command& command) {
  const auto config = readJson(*command.parameter);
  const auto* object = config ? std::get_if<JsonSpec::Object>(&config->value) : nullptr;
  const JsonSpec* listed = object == nullptr ? nullptr : member(*object, "operators");
  const auto* list = listed == nullptr ? nullptr : std::get_if<JsonSpec::List>(&listed->value);
  if (list == nullptr || list->empty() || list->size() > kMaxOperators) {
    return refused("COALESCE requires a JSON object with \"operators\", a list of 1 to 32");
  }
  std::vector<Operator> parts;
  for (const JsonSpec& part : *list) {
    auto made = createPart(part);
    if (!made.ok()) return std::move(made).error();
    parts.push_back(*std::move(made));
  }
  return Operator{Operator::Kind::Text,
                  [parts = std::move(parts), length = command.length](const Entry& entry, std::string& out) {
                    const size_t before = out.size();
                    for (const Operator& part : parts) {
                      if (!part.append(entry, out) || out.size() == before) continue;
                      if (length && out.size() - before > *length) out.resize(before + *length);
                      return true;
                    }
                    return false;
                  }};
}

}  // namespace weir::format
