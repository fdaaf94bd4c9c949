"""Languages like the built-in one, for studies that need several: invented words, by Zipf's law, of which
few like to follow which.
"""
import random


def language(seed, count):
    """A text of `count` bytes and one of a quarter of that, both of the language of this seed."""
    draw = random.Random(f"language {seed}")
    words = set()
    while len(words) < 300:
        syllables = draw.choice([1, 2, 2, 3])
        words.add("".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(syllables)))
    words = sorted(words, key=lambda word: (len(word), draw.random()))
    endings = [draw.choice([" ", " ", " ", ", ", ".\n"]) for _ in words]
    zipf = [1 / (rank + 3) for rank in range(len(words))]
    followers = [draw.choices(range(len(words)), zipf, k=5) for _ in words]

    def text(bytes_, stream):
        draw, word, parts, length = random.Random(f"text {seed} {stream}"), 0, [], 0
        while length < bytes_:
            parts.append(words[word] + endings[word])
            length += len(parts[-1])
            likes = draw.random() < 0.8
            word = (draw.choices(followers[word], [8, 4, 2, 1, 1])[0] if likes
                    else draw.choices(range(len(words)), zipf)[0])
        return "".join(parts)

    return text(count, "train"), text(count // 4, "held out")


def written(folder, seed, names=("text", "held")):
    """The paths of both texts of a language, of a million bytes, in a folder; what is there is not made again."""
    train, held = (folder / name for name in names)
    if not held.exists():
        texts = language(seed, 1_000_000)
        train.write_text(texts[0])
        held.write_text(texts[1])
    return train, held
