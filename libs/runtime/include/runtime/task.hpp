#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace lanyard::runtime {

// A move-only void() callable, so that a task may own what it needs (std::function cannot).
class Task {
  public:
    Task() = default;
    template <class F>
    // NOLINTNEXTLINE(google-explicit-constructor): a lambda converts, as it does to std::function
    requires(!std::same_as<std::decay_t<F>, Task> && std::invocable<std::decay_t<F>&>) Task(F&& function)
        : call_(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(function))) {}

    explicit operator bool() const { return call_ != nullptr; }
    void operator()() { call_->run(); }

  private:
    struct Callable {
        virtual ~Callable() = default;
        virtual void run() = 0;
    };
    template <class F>
    struct Holder final : Callable {
        explicit Holder(F&& f) : function(std::move(f)) {}
        explicit Holder(const F& f) : function(f) {}
        void run() override { function(); }
        F function;
    };

    std::unique_ptr<Callable> call_;
};

}  // namespace lanyard::runtime
