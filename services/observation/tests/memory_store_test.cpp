#include "store_contract.hpp"

namespace lanyard::observation {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreBackend{"memory", make_memory_store}));

}  // namespace
}  // namespace lanyard::observation
