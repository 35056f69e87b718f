#pragma once

namespace lanyard::rpc {

// What gRPC is told once in a process, before its first channel or server. Any thread, any number of times.
void prepare_grpc();

}  // namespace lanyard::rpc
