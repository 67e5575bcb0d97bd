"""Who takes turns: Elman, started for each turn, and the peers, a process each. All are checked before they are timed."""

import json

from machine import Child, call


class Elman:
    """`elman cell bench`; its numbers are those that `elman cell run` writes, in f32 whatever the type that is timed."""

    def __init__(self, program, threads, reference, folder, dtype):
        self.program, self.threads, self.reference, self.folder = program, threads, reference, folder
        self.dtype = dtype

    def ask(self, command, point, threads, *extra):
        sizes = dict(zip(["--steps", "--batch", "--hidden"], point["size"])) | {"--input": point["size"][2]}
        words = [word for pair in sizes.items() for word in pair]
        answer = call([self.program, "cell", command, point["cell"], *words, "--threads", threads, "--json", *extra], threads)
        return answer if "error" in answer else json.loads(answer["printed"])

    def check(self, point):
        file = lambda name: self.folder / f"{name}.safetensors"
        words = [self.program, "cell", "run", point["cell"], "--input", file("in"), "--weights", file("weights")]
        words += ["--output", file("out"), "--threads", self.threads]
        words += ["--grad"] if point["pass"] == "backward" else []
        answer = call(words, self.threads)
        if "error" in answer:
            return answer
        return self.reference.ask(do="judge", cell=point["cell"], kind=point["pass"], folder=str(self.folder))

    def turn(self, point, _seconds):
        how = {"forward": [], "backward": ["--backward"], "stream": ["--stream"]}[point["pass"]]
        return self.ask("bench", point, self.threads, "--dtype", self.dtype, *how)

    def explain(self, point, threads):
        return self.ask("explain", point, threads)


class Peer:
    def __init__(self, python, name, threads, folder, dtype):
        self.child, self.folder = Child(python, name, threads, dtype), folder

    def check(self, point):
        return self.child.ask(do="check", cell=point["cell"], kind=point["pass"], size=point["size"], folder=str(self.folder))

    def turn(self, _point, seconds):
        return self.child.ask(do="turn", seconds=seconds)
