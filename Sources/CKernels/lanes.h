// Vectors of eight doubles, included once per instruction set with NAME(x) giving each copy its own names: clang splits
// them into what the target has.

typedef double NAME(v8) __attribute__((vector_size(64), aligned(8)));
typedef int64_t NAME(i8) __attribute__((vector_size(64), aligned(8)));
#define v8 NAME(v8)
#define i8 NAME(i8)
#define INLINE static inline __attribute__((always_inline))

INLINE v8 NAME(splat)(double x) { return (v8){x, x, x, x, x, x, x, x}; }
INLINE v8 NAME(load)(const double *p) { return *(const v8 *)p; }
INLINE void NAME(store)(double *p, v8 x) { *(v8 *)p = x; }
INLINE v8 NAME(vmin)(v8 a, v8 b) { return __builtin_elementwise_min(a, b); }
INLINE v8 NAME(vmax)(v8 a, v8 b) { return __builtin_elementwise_max(a, b); }
INLINE v8 NAME(vsqrt)(v8 a) { return __builtin_elementwise_sqrt(a); }
// x where the mask is all ones, else 0.
INLINE v8 NAME(where)(i8 mask, v8 x) { return (v8)((i8)x & mask); }

#define splat NAME(splat)
#define load NAME(load)
#define store NAME(store)
#define vmin NAME(vmin)
#define vmax NAME(vmax)
#define vsqrt NAME(vsqrt)
#define where NAME(where)
