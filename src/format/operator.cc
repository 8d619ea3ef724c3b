#include "format/operator.h"

#include <algorithm>

#include "format/tables.h"

namespace weir::format {
namespace {

template <typename Row>
const Row* find(std::span<const Row> rows, std::string_view name) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  return at == rows.end() ? nullptr : &*at;
}

const PlainRow* findPlain(std::string_view name) {
  for (const auto rows : {messageRows(), durationRows(), connectionRows(), tlsRows()}) {
    if (const PlainRow* row = find(rows, name)) return row;
  }
  return nullptr;
}

const RowWithParameter* findWithParameter(std::string_view name) {
  for (const auto rows : {headerRows(), timeRows(), addressRows(), metadataRows(), pluginRows(), otherRows()}) {
    if (const RowWithParameter* row = find(rows, name)) return row;
  }
  return nullptr;
}

base::Result<Operator> createWithParameter(const RowWithParameter& row, Command command) {
  if (command.parameter && command.parameter->empty()) command.parameter.reset();
  const std::string name(row.name);
  if (row.parameter == RowWithParameter::Parameter::Required && !command.parameter) {
    return refused(name + " requires parameters");
  }
  if (row.parameter == RowWithParameter::Parameter::None && command.parameter) {
    return refused(name + " does not take any parameters");
  }
  if (!row.takes_length && command.length) return refused(name + " does not allow length to be specified");
  return row.create(command);
}

}  // namespace

base::Result<Operator> createOperator(const Command& command) {
  if (const PlainRow* row = findPlain(command.name)) {
    if (command.parameter || command.length) {
      return refused(std::string(command.name) + " does not take any parameters or length");
    }
    return Operator{row->kind, row->append};
  }
  if (const RowWithParameter* row = findWithParameter(command.name)) return createWithParameter(*row, command);
  const std::string name(command.name);
  if (const MissingRow* row = find(missingRows(), command.name)) {
    return refused("%" + name + "% is known to Envoy, but not implemented in weir yet: " + std::string(row->reason));
  }
  return refused("there is no operator %" + name + "%");
}

}  // namespace weir::format
