#include "rpc/batch_stream.hpp"

namespace lanyard::rpc {

std::string_view to_string(StreamState state) {
    switch (state) {
        case StreamState::connecting:
            return "connecting";
        case StreamState::ready:
            return "ready";
        case StreamState::down:
            return "down";
        case StreamState::stopped:
            return "stopped";
    }
    return "unknown";
}

}  // namespace lanyard::rpc
