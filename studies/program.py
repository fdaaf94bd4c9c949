"""The program as studies call it."""
import subprocess


def program(path, workers):
    """A function that runs the program with these words on so many cores and gives its output."""
    def run(*words):
        done = subprocess.run([path, *words, "--workers", str(workers)], capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout
    return run
