#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""schema_check.py SCHEMA FILE... : a line `FILE: ok` or `FILE: WHY` for each YAML file, as the JSON Schema sees it."""

import json
import sys

import jsonschema
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        why = next(validator.iter_errors(yaml.safe_load(file)), None)
    print(f"{path}: {'ok' if why is None else why.message.splitlines()[0]}")
