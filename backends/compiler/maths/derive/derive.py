"""Derives the polynomials of this crate: prints src/coefficients.rs.

    python3 derive.py > ../src/coefficients.rs && rustfmt --edition 2024 ../src/coefficients.rs

Needs mpmath. Each polynomial is close to the one of least relative error (Lawson's iteration). Then, from the lowest coefficient on, each is
rounded to its format and the others are fitted again to what is left, so that rounding costs next to nothing.
The comment over each constant is the largest relative error of the whole formula (without that of its evaluation).
"""

from mpmath import mp, mpf, cos, pi, sin, exp, log, sqrt, asin, atan, sinh, tanh, matrix, lu_solve, nstr
import struct

mp.prec = 400


def to_format(x, bits):
    """The nearest number of that many significant bits."""
    if x == 0:
        return mpf(0)
    m, e = mp.frexp(x)
    return mp.nint(mp.ldexp(m, bits)) * mpf(2) ** (e - bits)


def fit(g, weight, a, b, count, bits):
    """Coefficients of a polynomial of `count` terms close to g on [a, b], where errors count `weight` times."""
    points = 6 * count + 9
    xs = [(a + b) / 2 + (b - a) / 2 * cos(pi * (2 * i + 1) / (2 * points)) for i in range(points)]
    gs = [g(x) for x in xs]
    scale = [weight(x) for x in xs]
    ws = [mpf(1)] * points

    def solve(fixed):
        k, n = len(fixed), count - len(fixed)
        normal, right = matrix(n, n), matrix(n, 1)
        for x, y, s, w in zip(xs, gs, scale, ws):
            y -= horner(fixed, x)
            row = [x ** (j + k) for j in range(n)]
            f = w * s * s
            for i in range(n):
                right[i] += f * row[i] * y
                for j in range(n):
                    normal[i, j] += f * row[i] * row[j]
        return list(lu_solve(normal, right))

    # Lawson's iteration: least squares whose weights grow where the error is large end at the minimax polynomial.
    for _ in range(12):
        coefficients = solve([])
        errors = [abs(horner(coefficients, x) - y) * s for x, y, s in zip(xs, gs, scale)]
        ws = [w * e for w, e in zip(ws, errors)]
        total = sum(ws)
        ws = [w / total + mpf("1e-12") for w in ws]
    fixed = []
    while len(fixed) < count:
        fixed.append(to_format(solve(fixed)[0], bits))
    return fixed


def horner(coefficients, x):
    result = mpf(0)
    for c in reversed(coefficients):
        result = result * x + c
    return result


def emit(name, doc, bits, coefficients, error):
    kind = "f32" if bits == 24 else "f64"
    size = "" if error is None or error == 0 else f" Relative error 2^{nstr(log(error, 2), 4)}."
    print(f"/// {doc}{size}")
    numbers = ", ".join(repr(float(c)) for c in coefficients)
    print(f"pub(crate) const {name}: [f64; {len(coefficients)}] = [{numbers}];\n")


def polynomial(name, doc, g, a, b, count, bits, whole, true):
    """whole(p, x): the formula from the polynomial's value; true(x): the function. x is the polynomial's variable."""
    a, b = mpf(a), mpf(b)
    # How much an error of the polynomial matters.
    small = mpf("1e-30")
    weight = lambda x: (abs((whole(g(x) + small, x) - whole(g(x), x)) / true(x)) / small) if x else mpf(0)
    coefficients = fit(g, weight, a, b, count, bits)
    worst = mpf(0)
    for i in range(1, 600):
        x = a + (b - a) * i / 600
        if abs(x) < 1e-9:
            continue
        t = true(x)
        worst = max(worst, abs(whole(horner(coefficients, x), x) / t - 1))
    emit(name, doc, bits, coefficients, worst)


def pieces(name, doc, value, bits, count, last=None, positive=False):
    """A number as a sum of floats of so many bits."""
    parts = []
    for i in range(count):
        # The last one may use the whole format.
        part = to_format(value, last if last and i == count - 1 else bits)
        if positive and part > value:
            part -= mpf(2) ** (mp.frexp(part)[1] - bits)
        parts.append(part)
        value -= part
    emit(name, doc, 53 if bits > 24 else 24, parts, None)


def truncated_pieces(name, doc, value, bits, count):
    """Consecutive windows of the binary expansion of a number in (0, 1)."""
    parts = []
    for i in range(1, count + 1):
        scaled = mp.floor(value * mpf(2) ** (bits * i))
        part = scaled / mpf(2) ** (bits * i)
        parts.append(part)
        value -= part
    emit(name, doc, 53, parts, None)


print("//! Coefficients of polynomials, and constants in parts: written by `derive/derive.py`.")
print("//!\n//! Knows nothing of how they are evaluated.\n")
print("#![allow(clippy::approx_constant, clippy::excessive_precision, clippy::unreadable_literal)]\n")

half_ln2 = log(2) / 2 * mpf("1.002")
quarter = pi / 4 * mpf("1.02")

for bits, s, counts in [
    (24, "32", dict(exp=5, exp2=6, log=8, log2=9, sin=3, cos=3, asin=5, atan=9, sinh=4, tanh=5)),
    (53, "64", dict(exp=10, exp2=12, log=0, log2=0, sin=6, cos=6, asin=13, atan=12, sinh=8, tanh=13)),
]:
    polynomial(f"EXP_{s}", "`exp(r) = 1 + r + r²·p(r)` for |r| ≤ ln2/2.",
        lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > mpf(10)**-20 else mpf(1) / 2 + r / 6,
        -half_ln2, half_ln2, counts["exp"], bits, lambda p, r: 1 + r + r * r * p, exp)
    polynomial(f"EXP2_{s}", "`2^r = 1 + r·p(r)` for |r| ≤ 1/2.",
        lambda r: (2**r - 1) / r if abs(r) > mpf(10)**-30 else log(2),
        -0.5, 0.5, counts["exp2"], bits, lambda p, r: 1 + r * p, lambda r: 2**r)
    low, high = sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1
    if counts["log"]:
        polynomial(f"LOG_{s}", "`ln(1 + f) = f - f²/2 + f³·p(f)` for √½ ≤ 1 + f ≤ √2.",
            lambda f: (log(1 + f) - f + f * f / 2) / f**3 if abs(f) > mpf(10)**-20 else mpf(1) / 3 - f / 4,
            low, high, counts["log"], bits, lambda p, f: f - f * f / 2 + f**3 * p, lambda f: log(1 + f))
        polynomial(f"LOG2_{s}", "`log2(1 + f) = f·log2(e) + f²·p(f)` for √½ ≤ 1 + f ≤ √2.",
            lambda f: (log(1 + f) / log(2) - f / log(2)) / f**2 if abs(f) > mpf(10)**-30 else -1 / (2 * log(2)),
            low, high, counts["log2"], bits, lambda p, f: f / log(2) + f * f * p, lambda f: log(1 + f) / log(2))
    polynomial(f"SIN_{s}", "`sin(r) = r + r·z·p(z)`, `z = r²`, for |r| ≤ 1.02·π/4.",
        lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z if z > mpf(10)**-30 else -mpf(1) / 6,
        0, quarter**2, counts["sin"], bits,
        lambda p, z: sqrt(z) * (1 + z * p), lambda z: sin(sqrt(z)))
    polynomial(f"COS_{s}", "`cos(r) = 1 - z/2 + z²·p(z)`, `z = r²`, for |r| ≤ 1.02·π/4.",
        lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2 if z > mpf(10)**-20 else mpf(1) / 24 - z / 720,
        0, quarter**2, counts["cos"], bits,
        lambda p, z: 1 - z / 2 + z * z * p, lambda z: cos(sqrt(z)))
    polynomial(f"ASIN_{s}", "`asin(x) = x + x·z·p(z)`, `z = x²`, for |x| ≤ 1/2.",
        lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z if z > mpf(10)**-30 else mpf(1) / 6,
        0, mpf("0.2501"), counts["asin"], bits,
        lambda p, z: sqrt(z) * (1 + z * p), lambda z: asin(sqrt(z)))
    limit = mpf(1) if bits == 24 else (sqrt(mpf(2)) - 1) ** 2
    where = "1" if bits == 24 else "√2 - 1"
    polynomial(f"ATAN_{s}", f"`atan(x) = x + x·z·p(z)`, `z = x²`, for |x| ≤ {where}.",
        lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z if z > mpf(10)**-30 else -mpf(1) / 3,
        0, limit * mpf("1.001"), counts["atan"], bits,
        lambda p, z: sqrt(z) * (1 + z * p), lambda z: atan(sqrt(z)))
    if counts["sinh"]:
        polynomial(f"SINH_{s}", "`sinh(x) = x + x·z·p(z)`, `z = x²`, for |x| ≤ 1.",
            lambda z: (sinh(sqrt(z)) / sqrt(z) - 1) / z if z > mpf(10)**-30 else mpf(1) / 6,
            0, mpf("1.001"), counts["sinh"], bits,
            lambda p, z: sqrt(z) * (1 + z * p), lambda z: sinh(sqrt(z)))
        polynomial(f"TANH_{s}", "`tanh(x) = x + x·z·p(z)`, `z = x²`, for |x| ≤ 0.625.",
            lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z if z > mpf(10)**-30 else -mpf(1) / 3,
            0, mpf("0.3907"), counts["tanh"], bits,
            lambda p, z: sqrt(z) * (1 + z * p), lambda z: tanh(sqrt(z)))

# log(1 + f) = 2 atanh(s), s = f / (2 + f).
edge = ((sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)) ** 2 * mpf("1.001")
polynomial("LOG_64", "`ln((1 + s)/(1 - s)) = 2s + s·z·p(z)`, `z = s²`, for √½ ≤ (1 + s)/(1 - s) ≤ √2.",
    lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z if z > mpf(10)**-30 else mpf(2) / 3,
    0, edge, 7, 53,
    lambda p, z: sqrt(z) * (2 + z * p), lambda z: log((1 + sqrt(z)) / (1 - sqrt(z))))
polynomial("LOG_TAIL_64", "`ln((1 + s)/(1 - s)) = 2s + ⅔s³ + s³·z·p(z)`, `z = s²`, as above.",
    lambda z: ((log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z - mpf(2) / 3) / z if z > mpf(10)**-25 else mpf(2) / 5 + z * 2 / 7,
    0, edge, 8, 53,
    lambda p, z: sqrt(z) * (2 + z * (mpf(2) / 3 + z * p)), lambda z: log((1 + sqrt(z)) / (1 - sqrt(z))))

# For F32 functions that compute in F64.
polynomial("LOG_WIDE", "`ln(1 + f) = f + f²·p(f)` for √½ ≤ 1 + f ≤ √2, enough for `F32` results.",
    lambda f: (log(1 + f) - f) / f**2 if abs(f) > mpf(10)**-30 else -mpf(1) / 2,
    low, high, 15, 53, lambda p, f: f + f * f * p, lambda f: log(1 + f))
polynomial("EXP2_WIDE", "`2^r = 1 + r·p(r)` for |r| ≤ 1/2, enough for `F32` results.",
    lambda r: (2**r - 1) / r if abs(r) > mpf(10)**-30 else log(2),
    -0.5, 0.5, 7, 53, lambda p, r: 1 + r * p, lambda r: 2**r)

# Numbers in parts.
pieces("LN2_32", "ln 2; the first part with few bits.", log(2), 14, 2, 24)
pieces("LN2_64", "ln 2; the first part with few bits.", log(2), 41, 2, 53)
pieces("HALF_PI_32", "π/2, each part below what is left.", pi / 2, 24, 3, positive=True)
pieces("HALF_PI_64", "π/2, each part below what is left.", pi / 2, 53, 3, positive=True)
pieces("LOG2_E_32", "1/ln 2.", 1 / log(2), 24, 2)
pieces("LOG2_E_64", "1/ln 2.", 1 / log(2), 53, 2)
pieces("LN2_DOUBLE_64", "ln 2.", log(2), 53, 2)
pieces("THIRDS_64", "2/3.", mpf(2) / 3, 53, 2)
truncated_pieces("TURN_29", "1/(2π), 29 bits each.", 1 / (2 * pi), 29, 7)
mp.prec = 1400
two_over_pi = 2 / pi
words = [int(mp.floor(two_over_pi * mpf(2) ** (64 * i))) % 2**64 for i in range(1, 21)]
print("/// 2/π, 64 bits each, the highest first.")
print(f"pub(crate) const TWO_OVER_PI: [u64; {len(words)}] = [{', '.join(f'0x{w:016x}' for w in words)}];")
