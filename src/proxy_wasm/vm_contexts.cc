// The contexts of a VM: their ids, the effective one, deferred actions, and the end of roots.
#include <algorithm>

#include "base/check.h"
#include "proxy_wasm/connection_context.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {
namespace {

// A root whose last callback may still be on the stack. The VM outlives it: members are destroyed from below.
class LastOfRoot final : public event::Deferred {
 public:
  LastOfRoot(std::shared_ptr<Vm> vm, std::unique_ptr<RootContext> root) : vm_(std::move(vm)), root_(std::move(root)) {}

 private:
  const std::shared_ptr<Vm> vm_;
  const std::unique_ptr<RootContext> root_;
};

constexpr size_t kActionsKept = 4096;

// Whether asking for it twice is asking for it once.
bool repeatable(Vm::Action::Kind kind) {
  switch (kind) {
    case Vm::Action::Kind::ContinueRequest:
    case Vm::Action::Kind::ContinueResponse:
    case Vm::Action::Kind::CloseStream:
    case Vm::Action::Kind::ContinueReading:
    case Vm::Action::Kind::CloseConnection:
    case Vm::Action::Kind::RootDone: return true;
    default: return false;
  }
}

uint32_t bitOf(Vm::Action::Kind kind) { return uint32_t{1} << static_cast<unsigned>(kind); }

}  // namespace

uint32_t Vm::enroll(Context& context) {
  if (live_contexts_ * 2 >= contexts_.size()) growTable();
  for (;;) {
    const uint32_t id = next_id_++;
    Context*& place = contexts_[id & (contexts_.size() - 1)];
    if (id == 0 || place != nullptr) continue;  // Wrapped around, or somebody long-lived is there.
    place = &context;
    ++live_contexts_;
    return id;
  }
}

void Vm::strike(Context& context) {
  forget(context);
  contexts_[context.id() & (contexts_.size() - 1)] = nullptr;
  --live_contexts_;
}

// Ids that differ in the smaller table's places differ in the larger one's, too.
void Vm::growTable() {
  std::vector<Context*> larger(contexts_.size() * 2, nullptr);
  for (Context* context : contexts_) {
    if (context != nullptr) larger[context->id() & (larger.size() - 1)] = context;
  }
  contexts_ = std::move(larger);
}

Context* Vm::find(uint32_t id) {
  if (id == 0) return &own_context_;
  Context* const context = contexts_[id & (contexts_.size() - 1)];
  return context != nullptr && context->id() == id ? context : nullptr;
}

Context& Vm::effective() {
  if (effective_id_ == 0) return *current_;
  Context* const chosen = find(effective_id_);
  return chosen != nullptr ? *chosen : *current_;
}

bool Vm::setEffective(uint32_t id) {
  Context* const wanted = find(id);
  if (wanted == nullptr) return false;
  if (id != 0 && wanted->root() != current_->root() && !code_->budgets.other_plugins) {
    code_->contexts_refused.add();
    return false;
  }
  effective_id_ = id;
  return true;
}

// Of what can be asked for again and again, once.
void Vm::defer(Action action) {
  if (failed_) return;
  const uint32_t bit = repeatable(action.kind) ? bitOf(action.kind) : 0;
  if ((action.context->pending_effects_ & bit) != 0) return;
  action.context->pending_effects_ |= bit;
  actions_.push_back(action);
}

// In the order in which the guest asked. What callbacks beneath ask for joins the end of the queue.
void Vm::settle() {
  if (settling_) return;
  settling_ = true;
  for (size_t i = 0; i < actions_.size(); ++i) {
    const Action action = actions_[i];
    if (action.context == nullptr) continue;
    action.context->pending_effects_ &= ~bitOf(action.kind);
    perform(action);
  }
  clearActions();
  settling_ = false;
}

void Vm::clearActions() {
  for (const Action& action : actions_) {
    if (action.context != nullptr) action.context->pending_effects_ = 0;
  }
  actions_.clear();
  if (actions_.capacity() > kActionsKept) actions_.shrink_to_fit();
}

void Vm::perform(const Action& action) {
  switch (action.kind) {
    case Action::Kind::LocalReply: return action.context->stream()->sendAskedReply();
    case Action::Kind::ContinueRequest: return action.context->stream()->continueRequest();
    case Action::Kind::ContinueResponse: return action.context->stream()->continueResponse();
    case Action::Kind::CloseStream: return action.context->stream()->close();
    case Action::Kind::InjectResponse: return action.context->stream()->injectAsked();
    case Action::Kind::SetBufferLimit: return action.context->stream()->setAskedLimit();
    case Action::Kind::ContinueReading: return action.context->connection()->continueReading();
    case Action::Kind::CloseConnection: return action.context->connection()->close();
    case Action::Kind::CallDone: return action.context->root()->deliverCall(action.token);
    case Action::Kind::GrpcCame: return action.context->root()->grpc().deliver(action.token);
    case Action::Kind::DnsDone: return action.context->root()->names().deliver(action.token);
    case Action::Kind::RedisDone: return action.context->root()->redis().deliver(action.token);
    case Action::Kind::RootDone:
      if (pendingDone(*action.context)) finish(*action.context->root());
      return;
  }
}

void Vm::forget(const Context& context) {
  for (Action& action : actions_) {
    if (action.context == &context) action.context = nullptr;
  }
}

RootContext& Vm::addRoot(std::unique_ptr<RootContext> root) {
  roots_.push_back(std::move(root));
  return *roots_.back();
}

void Vm::shutDown(RootContext& root) {
  if (!failed_ && has(Callback::Done)) {
    const std::array<uint32_t, 1> arguments{root.id()};
    const auto done = call(Callback::Done, root, arguments, callbackLimit());
    if (done && *done == 0) {
      pending_done_.push_back(&root);
      keep_alive_ = shared_from_this();
      return;
    }
  }
  finish(root);
}

bool Vm::pendingDone(const Context& context) const {
  return std::find(pending_done_.begin(), pending_done_.end(), &context) != pending_done_.end();
}

void Vm::finish(RootContext& root) {
  std::erase(pending_done_, &root);
  if (!failed_ && has(Callback::Delete)) {
    const std::array<uint32_t, 1> arguments{root.id()};
    call(Callback::Delete, root, arguments, callbackLimit());
  }
  discard(root);
}

void Vm::discard(RootContext& root) {
  root.stop();
  const auto place =
      std::find_if(roots_.begin(), roots_.end(), [&](const auto& owned) { return owned.get() == &root; });
  CHECK(place != roots_.end());
  std::unique_ptr<RootContext> last = std::move(*place);
  roots_.erase(place);
  if (environment_.loop == nullptr) return;
  environment_.loop->destroyLater(std::make_unique<LastOfRoot>(shared_from_this(), std::move(last)));
  if (pending_done_.empty()) keep_alive_.reset();
}

void Vm::discardAnswered(RootContext& root) {
  if (environment_.observer == nullptr || !root.outlives()) return discard(root);
  keep_alive_ = shared_from_this();
  environment_.observer->onVmWaits(*this);
}

void Vm::abandonPending() {
  const std::shared_ptr<Vm> self = std::exchange(keep_alive_, nullptr);
  while (!pending_done_.empty()) finish(*pending_done_.back());
}

}  // namespace weir::proxy_wasm
