/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib's locks and GStreamer's reference counts, made visible to ThreadSanitizer.
 *
 * GLib's locks are futexes of its own, and the libraries are not instrumented, so ThreadSanitizer
 * sees neither who waited for whom nor that who drops the last reference comes after all others.
 * Preloaded before GLib, this tells it: what was done before an unlock (or an unref) is visible
 * after the next lock (or unref) of the same object. Nothing is suppressed: our own code is checked
 * as before. Without ThreadSanitizer in the process it does nothing.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

extern void __tsan_acquire(void* address) __attribute__((weak));
extern void __tsan_release(void* address) __attribute__((weak));

static void acquire(void* address) {
  if (__tsan_acquire != NULL) __tsan_acquire(address);
}
static void release(void* address) {
  if (__tsan_release != NULL) __tsan_release(address);
}

/* The library's own function of this name. Looked up again by whoever comes first: all find the
 * same. */
#define REAL(type, name)                                \
  static type real;                                     \
  if (__atomic_load_n(&real, __ATOMIC_RELAXED) == NULL) \
  __atomic_store_n(&real, (type)dlsym(RTLD_NEXT, name), __ATOMIC_RELAXED)

typedef void (*Action)(void*);
typedef int (*Attempt)(void*);

#define LOCK(name)        \
  void name(void* lock) { \
    REAL(Action, #name);  \
    real(lock);           \
    acquire(lock);        \
  }
#define TRYLOCK(name)              \
  int name(void* lock) {           \
    REAL(Attempt, #name);          \
    const int locked = real(lock); \
    if (locked) acquire(lock);     \
    return locked;                 \
  }
#define UNLOCK(name)      \
  void name(void* lock) { \
    REAL(Action, #name);  \
    release(lock);        \
    real(lock);           \
  }

LOCK(g_mutex_lock)
TRYLOCK(g_mutex_trylock)
UNLOCK(g_mutex_unlock)
LOCK(g_rec_mutex_lock)
TRYLOCK(g_rec_mutex_trylock)
UNLOCK(g_rec_mutex_unlock)
/* Readers among themselves are ordered too, which they need not be. */
LOCK(g_rw_lock_writer_lock)
TRYLOCK(g_rw_lock_writer_trylock)
UNLOCK(g_rw_lock_writer_unlock)
LOCK(g_rw_lock_reader_lock)
TRYLOCK(g_rw_lock_reader_trylock)
UNLOCK(g_rw_lock_reader_unlock)

/* Waiting gives the mutex away and takes it again, inside of GLib. */
void g_cond_wait(void* cond, void* mutex) {
  typedef void (*Wait)(void*, void*);
  REAL(Wait, "g_cond_wait");
  release(mutex);
  real(cond, mutex);
  acquire(mutex);
}
int g_cond_wait_until(void* cond, void* mutex, long long end) {
  typedef int (*Wait)(void*, void*, long long);
  REAL(Wait, "g_cond_wait_until");
  release(mutex);
  const int signalled = real(cond, mutex, end);
  acquire(mutex);
  return signalled;
}

int g_once_init_enter(void* location) {
  REAL(Attempt, "g_once_init_enter");
  const int first = real(location);
  if (!first) acquire(location);
  return first;
}
void g_once_init_leave(void* location, size_t value) {
  typedef void (*Leave)(void*, size_t);
  REAL(Leave, "g_once_init_leave");
  release(location);
  real(location, value);
}

/* The last one frees: it comes after whatever others did with theirs. */
#define UNREF(name)         \
  void name(void* object) { \
    REAL(Action, #name);    \
    release(object);        \
    acquire(object);        \
    real(object);           \
  }

UNREF(gst_mini_object_unref)
UNREF(g_object_unref)
UNREF(gst_object_unref)

/* Queues lock inside of GLib. */
void g_async_queue_push(void* queue, void* data) {
  typedef void (*Push)(void*, void*);
  REAL(Push, "g_async_queue_push");
  release(queue);
  real(queue, data);
}
#define POP(name)             \
  void* name(void* queue) {   \
    REAL(Pop, #name);         \
    void* data = real(queue); \
    acquire(queue);           \
    return data;              \
  }
typedef void* (*Pop)(void*);

POP(g_async_queue_pop)
POP(g_async_queue_try_pop)

void* g_async_queue_timeout_pop(void* queue, unsigned long long microseconds) {
  typedef void* (*TimeoutPop)(void*, unsigned long long);
  REAL(TimeoutPop, "g_async_queue_timeout_pop");
  void* data = real(queue, microseconds);
  acquire(queue);
  return data;
}

/* Threads of a pool begin what somebody else handed over. */
int g_thread_pool_push(void* pool, void* data, void* error) {
  typedef int (*Push)(void*, void*, void*);
  REAL(Push, "g_thread_pool_push");
  release(data);
  return real(pool, data, error);
}
