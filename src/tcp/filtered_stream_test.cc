// A byte stream behind network filters.
#include "tcp/filtered_stream.h"

#include <gmock/gmock.h>

#include "net/memory_stream.h"
#include "net/test_peers.h"

namespace weir::tcp {
namespace {

// Marks what passes, and notes what it is told.
class Marking final : public Filter {
 public:
  explicit Marking(std::vector<std::string>& told, ConnectionHandle*& seen) : told_(told), seen_(seen) {}
  void setHandle(ConnectionHandle& handle) override { seen_ = &handle; }
  Pass onNewConnection() override { return Pass::Continue; }
  Pass onData(base::BufferChain& bytes, bool) override {
    if (!bytes.empty()) bytes.prepend(">");
    return Pass::Continue;
  }
  Pass onWrite(base::BufferChain& bytes, bool) override {
    if (!bytes.empty()) bytes.prepend("<");
    return Pass::Continue;
  }
  void onClosed(Ending ending) override { told_.push_back(ending == Ending::Local ? "local" : "remote"); }

 private:
  std::vector<std::string>& told_;
  ConnectionHandle*& seen_;
};
struct MarkingFactory final : FilterFactory {
  MarkingFactory(std::vector<std::string>& told, ConnectionHandle*& seen) : told(told), seen(seen) {}
  std::unique_ptr<Filter> create() override { return std::make_unique<Marking>(told, seen); }
  std::vector<std::string>& told;
  ConnectionHandle*& seen;
};

class FilteredStreamTest : public testing::Test, protected net::ByteStream::Receiver {
 protected:
  FilteredStreamTest() {
    std::vector<std::unique_ptr<FilterFactory>> filters;
    filters.push_back(std::make_unique<MarkingFactory>(told_, handle_));
    chain_ = std::make_unique<Chain>(Chain{loop_, std::move(filters), 1000});
    auto [near, far] = net::MemoryStream::pair(loop_);
    client_ = std::move(far);
    client_->start(at_client_);
    stream_ = std::make_unique<FilteredStream>(*chain_, std::move(near), filter::ConnectionInfo{});
    stream_->start(*this);
    turns();
  }
  ~FilteredStreamTest() override {
    stream_.reset();
    turns();
  }
  void turns() {
    for (int i = 0; i < 5; ++i) loop_.runReady();
  }
  void say(std::string_view text) {
    base::BufferChain bytes(text);
    client_->write(bytes);
    turns();
  }
  void onBytes(base::BufferChain& received) override {
    if (!takes_) return;
    got_ += received.toString();
    received.clear();
  }
  void onEnd() override { events_.push_back("end"); }
  void onClosed(const base::Error& why) override { events_.push_back("closed: " + why.detail); }
  void onFlushed() override { events_.push_back("flushed"); }

  base::ManualClock clock_;
  event::Loop loop_{clock_};
  std::vector<std::string> told_;
  ConnectionHandle* handle_ = nullptr;
  std::unique_ptr<Chain> chain_;
  net::Hearing at_client_;
  std::unique_ptr<net::MemoryStream> client_;
  std::unique_ptr<FilteredStream> stream_;
  std::string got_;
  std::vector<std::string> events_;
  bool takes_ = true;
};

TEST_F(FilteredStreamTest, BytesPassTheFiltersBothWays) {
  say("hello");
  EXPECT_EQ(got_, ">hello");
  base::BufferChain answer(std::string_view("back"));
  stream_->write(answer);
  turns();
  EXPECT_EQ(at_client_.bytes, "<back");
  client_->finishWriting();
  turns();
  EXPECT_THAT(events_, testing::ElementsAre("end"));
}

TEST_F(FilteredStreamTest, WhatIsLeftIsOfferedAgain) {
  takes_ = false;
  say("one");
  takes_ = true;
  say("two");
  EXPECT_EQ(got_, ">one>two");
}

TEST_F(FilteredStreamTest, APausedReceiverIsToldLater) {
  stream_->pauseReading();
  say("one");
  client_->finishWriting();
  turns();
  EXPECT_EQ(got_, "");
  EXPECT_THAT(events_, testing::IsEmpty());
  stream_->resumeReading();
  turns();
  EXPECT_EQ(got_, ">one");
  EXPECT_THAT(events_, testing::ElementsAre("end"));
}

TEST_F(FilteredStreamTest, ClosingItTellsTheFiltersAndFlushes) {
  base::BufferChain answer(std::string_view("bye"));
  stream_->write(answer);
  stream_->close(net::ByteStream::Close::Flush);
  EXPECT_THAT(events_, testing::IsEmpty());
  turns();
  EXPECT_THAT(told_, testing::ElementsAre("local"));
  EXPECT_EQ(at_client_.bytes, "<bye");
  EXPECT_THAT(events_, testing::ElementsAre("flushed"));
}

TEST_F(FilteredStreamTest, AFilterThatClosesEndsIt) {
  handle_->close(net::ByteStream::Close::Flush, "why");
  EXPECT_THAT(events_, testing::ElementsAre("closed: closed by a network filter"));
  base::BufferChain late(std::string_view("late"));
  stream_->write(late);  // Nobody is there.
  turns();
  EXPECT_EQ(at_client_.bytes, "");
}

TEST_F(FilteredStreamTest, AClientThatIsGoneEndsIt) {
  client_->close(net::ByteStream::Close::Reset);
  turns();
  EXPECT_THAT(told_, testing::ElementsAre("remote"));
  EXPECT_THAT(events_, testing::ElementsAre("closed: closed by the client"));
}

TEST_F(FilteredStreamTest, MayBeDestroyedAtAnyTime) {
  say("hello");
  stream_.reset();
  EXPECT_THAT(told_, testing::ElementsAre("local"));
  turns();
}

}  // namespace
}  // namespace weir::tcp
