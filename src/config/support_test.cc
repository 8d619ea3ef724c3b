#include "config/support.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "config/known_types.h"

namespace weir::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;

const Descriptor* descriptor(std::string_view name) {
  linkKnownTypes();
  return DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(name));
}

template <typename F>
void forEachTable(F visit) {
  for (const SupportSection& section : supportSections()) {
    for (const MessageSupport& table : *section.tables) visit(table);
  }
}

TEST(SupportTables, NameOnlyFieldsThatExist) {
  forEachTable([](const MessageSupport& table) {
    const Descriptor* type = descriptor(table.message);
    ASSERT_NE(type, nullptr) << table.message;
    std::set<std::string_view> seen;
    for (const FieldSupport& field : table.fields) {
      EXPECT_NE(type->FindFieldByName(std::string(field.field)), nullptr) << table.message << "." << field.field;
      EXPECT_TRUE(seen.insert(field.field).second) << table.message << "." << field.field << " twice";
    }
  });
}

TEST(SupportTables, HaveATableForEveryMessageThatAReadFieldHolds) {
  forEachTable([](const MessageSupport& table) {
    for (const FieldSupport& field : table.fields) {
      if (field.effect != FieldSupport::Effect::Read) continue;
      const FieldDescriptor* known = descriptor(table.message)->FindFieldByName(std::string(field.field));
      ASSERT_NE(known, nullptr);
      const Descriptor* inner =
          known->is_map() ? known->message_type()->map_value()->message_type() : known->message_type();
      if (inner == nullptr || inner->full_name().starts_with("google.protobuf.")) continue;
      EXPECT_NE(findSupport(inner->full_name()), nullptr) << table.message << "." << field.field;
    }
  });
}

TEST(SupportTables, GiveAReasonForEachFieldWithoutEffect) {
  forEachTable([](const MessageSupport& table) {
    for (const FieldSupport& field : table.fields) {
      if (field.effect == FieldSupport::Effect::Read) continue;
      EXPECT_FALSE(field.reason.empty()) << table.message << "." << field.field;
    }
  });
}

TEST(SupportTables, StandInOneTableEach) {
  std::set<std::string_view> seen;
  forEachTable([&](const MessageSupport& table) { EXPECT_TRUE(seen.insert(table.message).second) << table.message; });
}

// docs/configuration.md carries the tables between two marks. WEIR_WRITE_DOCS=1 writes them there.
TEST(SupportTables, AreWhatTheDocumentationSays) {
  static constexpr std::string_view kBegin = "<!-- support tables: written by config_test, see support_test.cc -->\n\n";
  static constexpr std::string_view kEnd = "<!-- end of support tables -->\n";
  const std::string path = WEIR_DOCS "/configuration.md";
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  std::string page = content.str();
  const size_t begin = page.find(kBegin);
  const size_t end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t start = begin + kBegin.size();
  if (std::getenv("WEIR_WRITE_DOCS") != nullptr) {
    page.replace(start, end - start, supportAsMarkdown());
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(start, end - start), supportAsMarkdown())
      << "run: WEIR_WRITE_DOCS=1 config_test --gtest_filter=SupportTables.AreWhatTheDocumentationSays";
}

}  // namespace
}  // namespace weir::config
