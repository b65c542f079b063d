"""The workflow for public runners does what .ci/run does, and the README's commands, everywhere."""

import re

import pytest

from harness.programs import names_in, read

yaml = pytest.importorskip("yaml")

FILE = ".github/workflows/check.yml"


@pytest.fixture(name="workflow")
def read_workflow():
    # To YAML 1.1 the word `on` is True.
    return yaml.safe_load(read(FILE))


@pytest.fixture(name="job")
def only_job(workflow):
    (job,) = workflow["jobs"].values()
    return job


def commands(job, where=None):
    """The commands of its steps; with a distribution's name those that run everywhere or there."""
    everywhere = [step for step in job["steps"] if "run" in step and "if" not in step]
    there = [step for step in job["steps"] if "'%s'" % where in step.get("if", "")]
    return [line.strip() for step in everywhere + there for line in step.get("run", "").splitlines()]


def test_what_ci_runs_is_run(job):
    wanted = names_in(read(".ci/run"), r"(?m)^(make .*)$")
    assert len(wanted) >= 2 and wanted <= set(commands(job, "debian-12"))


def test_the_commands_of_the_readme_run_on_every_distribution(job):
    wanted = names_in(read("README.md"), r"(?m)^    sudo (make demo|make check) ")
    assert len(wanted) == 2
    images = [entry["image"] for entry in job["strategy"]["matrix"]["include"]]
    assert job["container"]["image"] == "${{ matrix.image }}"
    assert wanted <= set(commands(job))
    for image in ("debian:12", "debian:13", "ubuntu:24.04", "fedora:latest", "almalinux:9"):
        assert image in images


def test_the_packages_of_each_distribution_are_kept(job):
    targets = names_in(read("Makefile"), r"(?m)^(deb|rpm):")
    for entry in job["strategy"]["matrix"]["include"]:
        assert entry["package"] in targets
        assert (entry["package"] == "deb") == entry["image"].startswith(("debian", "ubuntu"))
    assert "make ${{ matrix.package }}" in commands(job)
    kept = [step["with"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert [step["path"] for step in kept] == ["build/${{ matrix.package }}/*.${{ matrix.package }}"]


def test_a_condition_names_a_distribution_of_the_matrix(job):
    names = {entry["name"] for entry in job["strategy"]["matrix"]["include"]}
    for step in job["steps"]:
        assert names_in(step.get("if", ""), r"'([^']*)'") <= names


def test_it_has_no_rights_and_no_secrets_and_ends(workflow, job):
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in read(FILE) and "cache" not in read(FILE)
    assert set(workflow[True]) == {"push", "pull_request", "workflow_dispatch"}
    assert 0 < job["timeout-minutes"] <= 360
    assert "--privileged" in job["container"]["options"]


def test_actions_are_those_of_github_at_a_major_version(job):
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", action), action
