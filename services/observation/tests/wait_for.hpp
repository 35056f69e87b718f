#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "base/error.hpp"

namespace lanyard::observation {

// Waits for the answer of one call of a store.
template <class T, class Call>
Result<T> wait_for(Call call) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    call([promise](Result<T> result) { promise->set_value(std::move(result)); });
    if (future.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
        return make_error(Errc::deadline_exceeded, "no answer");
    }
    return future.get();
}

}  // namespace lanyard::observation
