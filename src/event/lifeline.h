// How code that calls out finds out whether the call destroyed the object it stands in.
//
//   Lifeline::Sight sight(lifeline_);
//   receiver_->onBytes(bytes);
//   if (!sight.alive()) return;
//
// A callback that may destroy its caller is the contract of this project's streams and timers. Sights live on the stack
// and nest; a lifeline is a member. Costs two stores.
#pragma once

namespace weir::event {

class Lifeline {
 public:
  class Sight {
   public:
    explicit Sight(Lifeline& lifeline) : lifeline_(&lifeline), outer_(lifeline.innermost_) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"  // GCC 12 does not see that the destructor takes it out again.
#endif
      lifeline.innermost_ = this;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
    }
    ~Sight() {
      if (lifeline_ != nullptr) lifeline_->innermost_ = outer_;
    }
    Sight(const Sight&) = delete;
    Sight& operator=(const Sight&) = delete;
    bool alive() const { return lifeline_ != nullptr; }

   private:
    friend class Lifeline;
    Lifeline* lifeline_;
    Sight* outer_;
  };

  Lifeline() = default;
  ~Lifeline() {
    for (Sight* sight = innermost_; sight != nullptr; sight = sight->outer_) sight->lifeline_ = nullptr;
  }
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  Sight* innermost_ = nullptr;
};

}  // namespace weir::event
