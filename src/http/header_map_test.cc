#include "http/header_map.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <set>
#include <string>

namespace {
size_t allocations = 0;
}

// GCC inlines the one and not the other, and takes them for no pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
// Counts, so that the promise about allocations can be held to account.
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace weir::http {
namespace {

std::string describe(const HeaderMap& headers) {
  std::string out;
  for (const auto& entry : headers) out.append(entry.name).append("=").append(entry.value).append(";");
  return out;
}

TEST(WellKnownNames, AreFoundInAnyCase) {
  std::set<std::string_view> seen;
  for (uint8_t i = 1; i < static_cast<uint8_t>(HeaderId::kCount); ++i) {
    const auto id = static_cast<HeaderId>(i);
    std::string name(wellKnownName(id));
    EXPECT_TRUE(seen.insert(wellKnownName(id)).second) << name << " stands twice";
    EXPECT_EQ(wellKnownId(name), id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(wellKnownId(name), id) << name;
  }
}

TEST(WellKnownNames, HaveTheirOwnIds) {
  EXPECT_EQ(wellKnownName(HeaderId::Authority), ":authority");
  EXPECT_EQ(wellKnownName(HeaderId::RequestId), "x-request-id");
  EXPECT_EQ(wellKnownName(HeaderId::EnvoyUpstreamServiceTime), "x-envoy-upstream-service-time");
  EXPECT_EQ(wellKnownName(HeaderId::GrpcTimeout), "grpc-timeout");
}

TEST(WellKnownNames, DoNotIncludeOthers) {
  EXPECT_EQ(wellKnownId(""), HeaderId::Unknown);
  EXPECT_EQ(wellKnownId("hosts"), HeaderId::Unknown);
  EXPECT_EQ(wellKnownId("hoSx"), HeaderId::Unknown);
  EXPECT_EQ(wellKnownId(std::string(1000, 'a')), HeaderId::Unknown);
  EXPECT_EQ(wellKnownId("@path"), HeaderId::Unknown);
}

TEST(HeaderMap, StoresNamesInLowerCaseAndInOrder) {
  HeaderMap headers;
  headers.add("X-One", "A");
  headers.add("Accept", "b");
  headers.add("x-one", "c");
  EXPECT_EQ(describe(headers), "x-one=A;accept=b;x-one=c;");
  EXPECT_EQ(headers.entries()[1].id, HeaderId::Accept);
}

TEST(HeaderMap, PutsPseudoHeadersBeforeTheOthers) {
  HeaderMap headers;
  headers.add(HeaderId::Method, "GET");
  headers.add("x", "1");
  headers.add(":path", "/");
  headers.add(":custom", "2");
  headers.set(":method", "PUT");
  EXPECT_EQ(describe(headers), ":path=/;:custom=2;:method=PUT;x=1;");
}

TEST(HeaderMap, FindsTheFirstValueInAnyCase) {
  HeaderMap headers;
  headers.add("x-a", "1");
  headers.add("x-a", "2");
  headers.add("Content-Type", "");
  EXPECT_EQ(headers.get("X-A"), "1");
  EXPECT_EQ(headers.get("content-TYPE"), "");
  EXPECT_EQ(headers.get(HeaderId::ContentType), "");
  EXPECT_EQ(headers.get("x-b"), std::nullopt);
  EXPECT_EQ(headers.get(HeaderId::Accept), std::nullopt);
  EXPECT_EQ(headers.getOr(HeaderId::Accept, "none"), "none");
}

TEST(HeaderMap, SetLeavesOneEntryAtTheEnd) {
  HeaderMap headers;
  headers.add("x-a", "1");
  headers.add("x-b", "2");
  headers.add("X-A", "3");
  headers.set("x-A", "4");
  EXPECT_EQ(describe(headers), "x-b=2;x-a=4;");
  headers.set("accept", "a");
  headers.set(HeaderId::Accept, "b");
  EXPECT_EQ(describe(headers), "x-b=2;x-a=4;accept=b;");
}

TEST(HeaderMap, RemoveKeepsTheOrderOfTheRest) {
  HeaderMap headers;
  for (const char* name : {"a", "b", "a", "te", "c", "te"}) headers.add(name, name);
  EXPECT_EQ(headers.remove("A"), 2u);
  EXPECT_EQ(headers.remove("te"), 2u);
  EXPECT_EQ(headers.remove("te"), 0u);
  EXPECT_FALSE(headers.has(HeaderId::Te));
  EXPECT_EQ(describe(headers), "b=b;c=c;");
}

TEST(HeaderMap, CountsItsBytesThroughEveryChange) {
  HeaderMap headers;
  const auto sum = [&headers] {
    size_t bytes = 0;
    for (const auto& entry : headers) bytes += entry.name.size() + entry.value.size();
    return bytes;
  };
  headers.add("x-a", "12345");
  headers.add(HeaderId::Host, "h");
  headers.set("x-a", "1");
  headers.replaceStored(0, "longer");
  headers.remove("nothing");
  EXPECT_EQ(headers.bytes(), sum());
  EXPECT_EQ(headers.clone().bytes(), sum());
  headers.remove("x-a");
  EXPECT_EQ(headers.bytes(), sum());
  headers.clear();
  EXPECT_EQ(headers.bytes(), 0u);
  EXPECT_EQ(headers.footprint(), 0u);
}

TEST(HeaderMap, JoinsRepeatedValues) {
  HeaderMap headers;
  std::string storage = "untouched";
  EXPECT_EQ(headers.joined("a", storage), std::nullopt);
  headers.add("a", "1");
  EXPECT_EQ(headers.joined("A", storage), "1");
  EXPECT_EQ(storage, "untouched");
  headers.add("b", "x");
  headers.add("a", "2");
  headers.add("a", "");
  EXPECT_EQ(headers.joined("a", storage), "1,2,");
}

TEST(HeaderMap, KeepsViewsValidAcrossChanges) {
  HeaderMap headers;
  headers.add("x-first", "value");
  const std::string_view name = headers.entries()[0].name;
  const std::string_view value = *headers.get("x-first");
  for (int i = 0; i < 1000; ++i) headers.set("x-" + std::to_string(i % 50), std::string(100, 'v'));
  headers.remove("x-first");
  EXPECT_EQ(name, "x-first");
  EXPECT_EQ(value, "value");
  // A value out of the map itself may be set, also over itself.
  headers.set("x-1", *headers.get("x-1"));
  EXPECT_EQ(headers.get("x-1"), std::string(100, 'v'));
}

TEST(HeaderMap, TellsWhatEndlessSettingCosts) {
  HeaderMap headers;
  headers.add("x", "1");
  const size_t before = headers.footprint();
  for (int i = 0; i < 100; ++i) headers.set("x", std::string(1000, 'v'));
  EXPECT_GE(headers.footprint(), before + 100 * 1000 - 4096);
  EXPECT_LE(headers.bytes(), 1001u);
}

TEST(HeaderMap, HoldsValuesThatAreLongerThanABlock) {
  HeaderMap headers;
  const std::string large(100'000, 'x');
  headers.add("a", "1");
  headers.add("large", large);
  headers.add("b", "2");
  EXPECT_EQ(headers.get("large"), large);
  EXPECT_EQ(headers.get("b"), "2");
  EXPECT_EQ(headers.clone().get("large"), large);
}

TEST(HeaderMap, MovesWithItsViews) {
  HeaderMap from;
  from.add("x-a", "1");
  const std::string_view value = *from.get("x-a");
  HeaderMap to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is left behind is part of the contract.
  EXPECT_EQ(from.get("x-a"), std::nullopt);
  EXPECT_EQ(to.get("x-a")->data(), value.data());
  from.add("again", "2");
  EXPECT_EQ(describe(from), "again=2;");
  from = std::move(to);
  EXPECT_EQ(describe(from), "x-a=1;");
  EXPECT_EQ(from.get("x-a")->data(), value.data());
}

TEST(HeaderMap, ClonesWithoutSharing) {
  HeaderMap from;
  from.add(HeaderId::Path, "/");
  from.add("x-a", "1");
  from.add("x-empty", "");
  HeaderMap copy = from.clone();
  from.clear();
  from.add("z", "9");
  EXPECT_EQ(describe(copy), ":path=/;x-a=1;x-empty=;");
  EXPECT_TRUE(copy.has(HeaderId::Path));
}

TEST(HeaderMap, CostsNoAllocationForAUsualMessage) {
  const auto fill = [] {
    HeaderMap headers;
    for (int i = 0; i < 20; ++i) headers.add("x-some-header", "some value of usual length");
    headers.set("x-some-header", "one");
    return headers.get("X-Other").has_value();
  };
  fill();  // The pool gets its arena.
  const size_t before = allocations;
  fill();
  EXPECT_EQ(allocations, before);
}

TEST(ValidName, IsAToken) {
  EXPECT_TRUE(validName("X-a_1!#$%&'*+-.^`|~"));
  for (const char* bad : {"", "a b", "a:", ":path", "a\t", "a\x7f", "a\xe9", "a(", "a\"", "a/", "a\r\n"}) {
    EXPECT_FALSE(validName(bad)) << bad;
  }
}

TEST(ValidValue, HasNoControlBytesNorBlanksAround) {
  for (const char* good : {"", "a", "a b\tc", "caf\xc3\xa9", "\xff"}) EXPECT_TRUE(validValue(good)) << good;
  for (const char* bad : {" a", "a ", "\ta", "a\t", "a\rb", "a\nb", "a\x01", "a\x7f", " "}) {
    EXPECT_FALSE(validValue(bad)) << bad;
  }
  EXPECT_FALSE(validValue(std::string_view("a\0b", 3)));
}

TEST(FindControl, FindsEachBadByteAtEachPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool bad = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    for (size_t size = 1; size < 40; ++size) {
      std::string text(size, 'a');
      text[size - 1] = static_cast<char>(byte);
      text[size / 2] = text[size / 2] == 'a' ? '\t' : text[size / 2];
      const char* end = text.data() + size;
      EXPECT_EQ(findControl(text.data(), end), bad ? end - 1 : end) << byte << " at " << size - 1;
    }
  }
}

}  // namespace
}  // namespace weir::http
