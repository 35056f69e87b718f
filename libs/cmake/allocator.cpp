// Settings of jemalloc, which looks for this symbol in the program (jemalloc(3), TUNING).
//
// background_thread: without a thread of its own it gives memory back only while the same thread goes on allocating: a
// service at rest would keep what a burst left.
// tcache_max: what each thread keeps for itself ends at objects of 1 KiB. With the default, 32 KiB, the caches of
// gRPC's many threads go on filling through dozens of reconnects, which looks like a leak (docs/performance.md,
// Memory).
// lg_tcache_nslots_mul: of a size a thread keeps up to half a slab (default: two slabs), and narenas_ratio: two arenas
// for each CPU (default: four). Both spread fewer free objects over the slabs that live ones hold, for the same reason.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,tcache_max:1024,lg_tcache_nslots_mul:-1,narenas_ratio:2";
}
