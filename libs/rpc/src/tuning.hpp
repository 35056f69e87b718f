#pragma once

namespace lanyard::rpc {

// What every user of gRPC needs once, before its first server or channel. Any thread, any number of times.
void tune_grpc();

}  // namespace lanyard::rpc
