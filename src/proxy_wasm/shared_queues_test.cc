// Queues between VMs, workers and vm_ids, and their bounds.
#include "proxy_wasm/shared_queues.h"

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SharedQueuesTest : public testing::Test {
 protected:
  std::shared_ptr<QueueEar> ear(std::string who) {
    return std::make_shared<QueueEar>(loop_, [this, who = std::move(who)](uint32_t root, uint32_t token) {
      told_.push_back(fmt::format("{} {} {}", who, root, token));
    });
  }
  std::vector<std::string> told() {
    loop_.runReady();
    return std::exchange(told_, {});
  }
  AbiStatus put(uint32_t token, std::string_view value) {
    full_ = false;
    return share_->put(token, value, kMostBytes, full_);
  }

  static constexpr size_t kMostBytes = 10'000;
  base::ManualClock clock_;
  event::Loop loop_{clock_};
  std::shared_ptr<SharedQueues> all_ = std::make_shared<SharedQueues>();
  std::shared_ptr<SharedQueues::Share> share_ = all_->share("vm");
  std::vector<std::string> told_;
  bool full_ = false;
};

TEST_F(SharedQueuesTest, GivesBackWhatWasPutInInOrder) {
  uint32_t token = 0;
  ASSERT_EQ(share_->add("q", nullptr, 0, token), AbiStatus::Ok);
  EXPECT_EQ(token, 1u);
  EXPECT_EQ(put(token, "one"), AbiStatus::Ok);
  EXPECT_EQ(put(token, ""), AbiStatus::Ok);
  std::string value;
  EXPECT_EQ(share_->take(token, value), AbiStatus::Ok);
  EXPECT_EQ(value, "one");
  EXPECT_EQ(share_->take(token, value), AbiStatus::Ok);
  EXPECT_EQ(value, "");
  EXPECT_EQ(share_->take(token, value), AbiStatus::Empty);
  EXPECT_EQ(share_->take(token + 1, value), AbiStatus::NotFound);
  EXPECT_EQ(put(0, "x"), AbiStatus::NotFound);
}

TEST_F(SharedQueuesTest, TellsWhoRegisteredLastOnceForEachEntry) {
  uint32_t token = 0;
  const auto first = ear("first"), last = ear("last");
  share_->add("q", first, 5, token);
  put(token, "a");
  share_->add("q", last, 6, token);
  put(token, "b");
  put(token, "c");
  EXPECT_THAT(told_, IsEmpty());  // Never within the call.
  EXPECT_THAT(told(), ElementsAre("first 5 1", "last 6 1", "last 6 1"));
}

TEST_F(SharedQueuesTest, APluginOnTrialDoesNotTakeTheQueueFromThoseWhoRun) {
  uint32_t token = 0;
  const auto running = ear("running");
  share_->add("q", running, 5, token);
  share_->add("q", nullptr, 0, token);
  put(token, "a");
  EXPECT_THAT(told(), ElementsAre("running 5 1"));
}

TEST_F(SharedQueuesTest, TellsNobodyWhoseMachineIsGoneAndKeepsTheEntries) {
  uint32_t token = 0;
  const auto gone = ear("gone");
  share_->add("q", gone, 5, token);
  put(token, "a");
  gone->close();
  put(token, "b");
  EXPECT_THAT(told(), IsEmpty());
  std::string value;
  EXPECT_EQ(share_->take(token, value), AbiStatus::Ok);
  EXPECT_EQ(share_->take(token, value), AbiStatus::Ok);
}

TEST_F(SharedQueuesTest, FindsByVmIdAndNameOrInItsOwn) {
  uint32_t token = 0, found = 0;
  share_->add("q", nullptr, 0, token);
  const auto other = all_->share("other");
  EXPECT_EQ(other->find("vm", "q", found), AbiStatus::Ok);
  EXPECT_EQ(found, token);
  EXPECT_EQ(other->find("", "q", found), AbiStatus::NotFound);
  EXPECT_EQ(share_->find("", "q", found), AbiStatus::Ok);
  EXPECT_EQ(share_->find("nobody", "q", found), AbiStatus::NotFound);
}

TEST_F(SharedQueuesTest, GoWithTheLastOfTheirVmId) {
  uint32_t token = 0, found = 0;
  share_->add("q", nullptr, 0, token);
  put(token, "a");
  share_.reset();
  share_ = all_->share("vm");
  EXPECT_EQ(share_->find("", "q", found), AbiStatus::NotFound);
  EXPECT_EQ(put(token, "a"), AbiStatus::NotFound);
  EXPECT_FALSE(full_);
}

TEST_F(SharedQueuesTest, AreBounded) {
  uint32_t token = 0;
  for (size_t i = 0; i < SharedQueues::kMaxQueues; ++i) {
    ASSERT_EQ(share_->add(std::to_string(i), nullptr, 0, token), AbiStatus::Ok);
  }
  EXPECT_EQ(share_->add("one more", nullptr, 0, token), AbiStatus::InternalFailure);
  EXPECT_EQ(share_->add("0", nullptr, 0, token), AbiStatus::Ok);

  const std::string half(kMostBytes / 2, 'x');
  EXPECT_EQ(put(token, half), AbiStatus::Ok);
  EXPECT_EQ(put(token, half), AbiStatus::Ok);
  EXPECT_EQ(put(token, "x"), AbiStatus::NotFound);
  EXPECT_TRUE(full_);
  std::string value;
  share_->take(token, value);
  EXPECT_EQ(put(token, "x"), AbiStatus::Ok);

  share_->add("1", nullptr, 0, token);
  for (size_t i = 0; i < SharedQueues::kMaxEntries; ++i) ASSERT_EQ(put(token, ""), AbiStatus::Ok);
  EXPECT_EQ(put(token, ""), AbiStatus::NotFound);
  EXPECT_TRUE(full_);
}

// --- Through guests ---

constexpr const char* kQueueImports = R"(
(import "env" "proxy_register_shared_queue" (func $q_register (param i32 i32 i32) (result i32)))
(import "env" "proxy_resolve_shared_queue" (func $q_resolve (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_enqueue_shared_queue" (func $q_put (param i32 i32 i32) (result i32)))
(import "env" "proxy_dequeue_shared_queue" (func $q_take (param i32 i32 i32) (result i32))))";

// Registers "q" when it is configured and takes from it when it is told.
GuestText receiver() {
  GuestText guest;
  guest.import(kQueueImports).data(100, "q");
  guest.onConfigure("(call $status (call $q_register (i32.const 100) (i32.const 1) (i32.const 16))) (i32.const 1)");
  guest.on("proxy_on_queue_ready", "(param $id i32) (param $token i32)",
           "(call $event (i32.const 81) (local.get $id) (i32.const 0) (i32.const 0))"
           "(call $status (call $q_take (local.get $token) (i32.const 8) (i32.const 12))) (call $text)");
  return guest;
}

GuestText sender() {
  GuestText guest;
  guest.import(kQueueImports).data(100, "receiver").data(120, "q").data(130, "news");
  guest.onRequestHeaders(
      "(call $status (call $q_resolve (i32.const 100) (i32.const 8) (i32.const 120) (i32.const 1) (i32.const 16)))"
      "(call $status (call $q_put (i32.load (i32.const 16)) (i32.const 130) (i32.const 4))) (i32.const 0)");
  return guest;
}

TEST_F(PluginTest, TellsARootOfWhatAnotherVmPutIntoItsQueue) {
  PluginSpec receiving = spec(receiver(), "receiver");
  receiving.vm.vm_id = "receiver";
  start(receiving);
  const auto receiving_factory = std::move(factory_);
  start(spec(sender(), "sender"));
  lines();
  Stream s = stream();
  s.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 0"));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("Q 1 0 0", "= 0", "news"));
  s.finish();
}

TEST_F(PluginTest, AQueueOfAPluginThatIsGoneIsToldToNobody) {
  PluginSpec receiving = spec(receiver(), "receiver");
  receiving.vm.vm_id = "receiver";
  auto kept = load(receiving);  // Its queues stay.
  start(receiving);
  auto receiving_factory = std::move(factory_);
  start(spec(sender(), "sender"));
  Stream s = stream();
  s.requestHeaders();
  receiving_factory.reset();
  lines();
  loop_.runReady();
  EXPECT_THAT(lines(), IsEmpty());
  s.finish();
}

}  // namespace
}  // namespace weir::proxy_wasm
