# The Compose stack; docs/stack.md explains it.
COMPOSE ?= docker compose
# For Compose, a variable in the shell overrides infra/.env. Not these: a shell may have keys for another server, and
# its endpoint for direct upload is the stack's address from outside; its table's description is a file of the host.
FROM_FILE = POSTGRES_PASSWORD MINIO_ROOT_USER MINIO_ROOT_PASSWORD JUPYTER_TOKEN MLFLOW_TRACKING_USERNAME \
  MLFLOW_TRACKING_PASSWORD MLFLOW_AUTH_ADMIN_PASSWORD MLFLOW_FLASK_SERVER_SECRET_KEY MLFLOW_ARTIFACTS_DESTINATION \
  MLFLOW_S3_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION CHURN_TABLE
COMPOSE_HERE = env $(addprefix -u ,$(FROM_FILE)) $(COMPOSE)
STACK = $(COMPOSE_HERE) --project-directory infra -f infra/docker-compose.yml

.PHONY: up down logs backup restore

infra/.env:
	python3 infra/k8s/make_secrets.py compose

up: infra/.env ## start the Compose stack; returns when a run can be logged
	$(STACK) up -d --build --wait --wait-timeout 300
	@echo "MLflow:     http://$$($(STACK) port mlflow 5000)   user and password: MLFLOW_TRACKING_* in infra/.env"
	@echo "JupyterLab: http://$$($(STACK) port jupyter 8888)   token: JUPYTER_TOKEN in infra/.env"

down: ## stop the Compose stack; data are kept
	$(STACK) --profile '*' down

logs: ## follow the stack's logs
	$(STACK) --profile '*' logs -f --tail 50

backup: ## copy runs and artifacts into backups/<time>
	COMPOSE="$(COMPOSE_HERE)" infra/backup.sh

restore: ## restore a backup: make restore FROM=backups/<time>
	COMPOSE="$(COMPOSE_HERE)" infra/restore.sh "$(FROM)"
