"""Attacks, one file per method, each a frozen description that is called like a function.

Methods: `fgsm`, `pgd`, `mi_fgsm`, `sia`, `apgd`, `deviation` (DiffAttack), `diffhammer`, `denoiser`; by pyautoattack:
`autoattack`, `fab`, `square`. What several share: `adversary` (the Protocol), `settings`, `losses`, `ball`, `ascent`,
`walk`, `library` (pyautoattack), `beside` (rows that carry more than an image). Parts of one: `blocks` and
`transformations` of SIA, `deviating` of DiffAttack, `selection` and `resubmission` of DiffHammer.
"""
