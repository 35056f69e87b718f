#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace lanyard::redis {

// A callable that is called at most once and may own move-only things (a gRPC reactor, a promise).
template <class Argument>
class Callback {
  public:
    Callback() = default;
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> && std::is_invocable_v<F&, Argument>)
        Callback(F function)  // NOLINT(google-explicit-constructor): a lambda is given where a Callback is taken
        : held_(std::make_unique<Holder<F>>(std::move(function))) {}

    explicit operator bool() const { return held_ != nullptr; }
    // Calls and releases the function.
    void operator()(Argument argument) {
        const auto held = std::move(held_);
        held->call(std::move(argument));
    }

  private:
    struct Base {
        virtual ~Base() = default;
        virtual void call(Argument argument) = 0;
    };
    template <class F>
    struct Holder final : Base {
        explicit Holder(F f) : function(std::move(f)) {}
        void call(Argument argument) override { function(std::move(argument)); }
        F function;
    };

    std::unique_ptr<Base> held_;
};

}  // namespace lanyard::redis
