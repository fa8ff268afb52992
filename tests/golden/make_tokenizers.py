"""Makes tests/golden/tokenizers: small tokenizers with the ids that Hugging Face's Rust gives.

Run: python tests/golden/make_tokenizers.py   (tokenizers; its version is stored in the file)

Three kinds: `byte_level` (digits alone, then GPT-2's words, as SmolLM2), `llama3` (its own pattern,
BOS, `ignore_merges`) and `byte_fallback` (as Llama 2: spaces as U+2581, BOS, unknown bytes by name).
"""

import json
import pathlib
import random

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent / "tokenizers"
PROSE = """The patient is a 54-year-old woman with type 2 diabetes who denies chest pain. She takes
metformin 500 mg twice a day and lisinopril 10 mg once a day. Her blood pressure today is 138/86, her
pulse is 72 and regular. He doesn't smoke, he's never had surgery, and they'll see him in 2 weeks. I've
told her that we'd repeat the X-ray of the left knee. No fever, no chills; nausea since Monday. Doctor:
How long have you had it? Patient: It's been about three months, I'm not sure. 98.6 F, SpO2 97%."""
HAND = [
    '',
    'a',
    ' ',
    '  ',
    '\n',
    '\n\n',
    '\r\n',
    '\t',
    ' \n ',
    '\n \n',
    'a\r\nb',
    'a\n\n\nb',
    '  a',
    'a  ',
    '1',
    '12',
    '123',
    '1234567890',
    '12.5 mg',
    '3.14159',
    '\xbd tablet',
    '\xb2',
    '\u2167',
    '\u0663\u0664\u0665',
    '\u0967\u0968\u0969',
    '\uff11\uff12\uff13',
    '\u2460\u2461',
    '10\u2076',
    'x\xb2',
    "don't",
    "DON'T",
    "I'll we've they're I'd I'm it's",
    "'s's",
    "\u017f's",
    'na\xefve caf\xe9',
    'cafe\u0301',
    'e\u0301e',
    'Stra\xdfe',
    '\ufb01',
    '\u0130stanbul',
    '\u01c5',
    '\u4f60\u597d\u4e16\u754c',
    '\u65e5\u672c\u8a9e\u30c6\u30b9\u30c8',
    '\ud55c\uad6d\uc5b4',
    '\u05e2\u05d1\u05e8\u05d9\u05ea',
    '\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0661\u0662\u0663',
    '\u0939\u093f\u0928\u094d\u0926\u0940 \u0915\u094d\u0937\u0947\u0924\u094d\u0930',
    '\u0e44\u0e17\u0e22',
    '\U0001f642',
    '\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466',
    '\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7',
    '\U0001f44d\U0001f3fd',
    '\u200b',
    '\u200d',
    '\xa0',
    'a\xa0b',
    '\u2028',
    '\u2029',
    '\u3000',
    '\x85',
    '\x00',
    '\x07',
    '\x7f',
    '\xad',
    '\ufffd',
    '\U0010ffff',
    '\ue000',
    '\U0001d49c\U0001d7d8',
    '\U00010348',
    '<|im_end|>',
    '<|im_start|>user\nhi<|im_end|>\n',
    'a<|endoftext|>b',
    '<|endoftext|><|endoftext|>',
    '<repo_name>x',
    '<|im_end',
    'im_end|>',
    '<jupyter_text> a',
    ' <|im_end|> ',
    '<empty_output>',
    '...',
    '!!!???',
    'a,b;c:d',
    '--__--',
    '$100.00',
    '#tag @user',
    'http://a.b/c?d=e&f=g',
    'def f(x):\n    return x\n',
    '\t\tint x = 0;\r\n',
    '                                                  ',
    '\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n',
    'a1b2c3',
    '1a 2b',
    'BP 120/80 mmHg, HR 72, T 98.6\xb0F',
    '5\u03bcg/mL',
    '5\xb5g',
    '\u22125\xb0C',
    '\u201cquoted\u201d \u2018x\u2019',
    '\u2014\u2013-',
    '\u0301',
    'a\u0301\u0302\u0303',
    '\u0e33',
    '\xe0 la',
    '\u1e9e',
    '\u0149',
    '\u2019s it\u2019s',
    "he said:'s",
    "'S 'T 'RE",
    '   leading',
    'trailing   ',
    ' \xa0 ',
    '\t \t',
    'a\u2003b',
    '\x1c\x1d',
    'a\x0bb\x0cc',
    '\u180e',
    '\u2060',
    'x\u200dy',
    "A" * 300,
    " " * 50,
    "ab" * 100,
]
POOLS = [
    "abcXYZ", "0123456789", "\u00bd\u00b2\u2167\u0663\u0967", " \n\t\r", "\u00a0\u2003\u3000\u2028\x85",
    "'\".,!?-()[]{}<>|_/@#$%^&*", "\u00e9\u00fc\u00df\u0436\u4f60\ud55c\u05d0\u0628", "\U0001f642\u200d\U0001f44d\U0001f3fd",
    "\u0301\u0e33\u200b\x00\x1f",
]


def strings():
    rng = random.Random(7)
    made = list(HAND)
    while len(made) < 260:
        made.append("".join(rng.choice(rng.choice(POOLS)) for _ in range(rng.randint(1, 40))))
    words = ["<|im_end|>", "</s>", "don't", " ", "  ", "\n", "12", "mg", "Patient", "'s", "\r\n", ".", "(", "100mg/5mL"]
    while len(made) < 320:
        made.append("".join(rng.choice(words) for _ in range(rng.randint(1, 15))))
    while len(made) < 380:
        planes = [(0, 0x2FF), (0, 0xD7FF), (0xE000, 0x10FFFF)]
        made.append("".join(chr(rng.randint(*rng.choice(planes))) for _ in range(rng.randint(1, 12))))
    # No U+FEFF: the JavaScript library drops it where decoded bytes begin with it.
    return [text for text in made if "\ufeff" not in text]


def byte_level(cut, special, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cut)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(PROSE.split("\n"), trainer)
    return tokenizer


def smollm():
    cut = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    return byte_level(cut, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]), "<|im_end|>"


def llama3():
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    cut = [
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    tokenizer = byte_level(cut, ["<s>", "</s>"], ignore_merges=True)
    tokenizer.post_processor = bos_first(tokenizer)
    return tokenizer, "</s>"


def llama2():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    space = "\u2581"
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(space), normalizers.Replace(" ", space)])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(space, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(PROSE.split(), trainer)
    parsed = json.loads(tokenizer.to_str())
    parsed["added_tokens"] = [t for t in parsed["added_tokens"] if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(parsed))
    tokenizer.post_processor = bos_first(tokenizer)
    return tokenizer, "</s>"


def bos_first(tokenizer):
    return processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])


def main():
    HERE.mkdir(exist_ok=True)
    texts = strings()
    made = {"made_by": "make_tokenizers.py", "tokenizers": tokenizers.__version__, "strings": texts}
    (HERE / "strings.json").write_text(json.dumps(made))
    for name, make in {"byte_level": smollm, "llama3": llama3, "byte_fallback": llama2}.items():
        tokenizer, eos = make()
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": eos}))
        ids = [tokenizer.encode(text).ids for text in texts]
        decoded = [tokenizer.decode(row, skip_special_tokens=True) for row in ids]
        (folder / "golden.json").write_text(json.dumps({"ids": ids, "decoded": decoded}))
        print(name, sum(map(len, ids)), "tokens")


main()
