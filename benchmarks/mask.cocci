// SPDX-License-Identifier: GPL-2.0-only
// The question that pygfp audit answers, as far as a semantic patch can ask it:
// where is a mask changed, or made out of another one?
@@
gfp_t mask;
expression other;
@@
(
* mask &= other
|
* mask |= other
|
* mask & other
|
* mask | other
)
