"""Reads the vendor for measuring with dlt's REST source into a DuckDB file.

usage: dlt_read.py BASE_URL FOLDER
"""

import os
import sys

base_url, folder = sys.argv[1:]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DLT_DATA_DIR"] = folder

import dlt  # noqa: E402  (reads the environment when it is imported)
from dlt.sources.rest_api import rest_api_source  # noqa: E402

source = rest_api_source(
    {
        "client": {"base_url": base_url},
        "resources": [
            {
                "name": "employees",
                "endpoint": {
                    "path": "employees",
                    "params": {"per_page": 100},
                    "data_selector": "data",
                    "paginator": {
                        "type": "page_number",
                        "base_page": 1,
                        "page_param": "page",
                        "total_path": None,
                        "stop_after_empty_page": True,
                    },
                },
            }
        ],
    }
)
pipeline = dlt.pipeline(
    pipeline_name="bench",
    pipelines_dir=os.path.join(folder, "pipelines"),
    destination=dlt.destinations.duckdb(os.path.join(folder, "bench.duckdb")),
    dataset_name="hr",
)
pipeline.run(source)
