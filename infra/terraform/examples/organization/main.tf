# Rollcall in a delegated administrator account. If it runs in the management account, only the first module is needed, with that account's id.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

# Both providers have the same Region.
provider "aws" {
  alias   = "rollcall"
  region  = "eu-central-1"
  profile = "rollcall"
}

provider "aws" {
  alias   = "management"
  region  = "eu-central-1"
  profile = "management"
}

locals {
  organization = {
    stage                   = "prod"
    organization_id         = "o-exampleorgid"
    organizational_unit_ids = ["r-abcd"]
    management_account_id   = "111122223333"
    rollcall_account_id     = "444455556666"
    external_id             = "replace-with-the-external-id-of-the-policy"
  }
}

module "rollcall" {
  source    = "../.."
  providers = { aws = aws.rollcall }

  stage                   = local.organization.stage
  organization_id         = local.organization.organization_id
  organizational_unit_ids = local.organization.organizational_unit_ids
  management_account_id   = local.organization.management_account_id
  rollcall_account_id     = local.organization.rollcall_account_id
  external_id             = local.organization.external_id
  policy_bucket           = "444455556666-rollcall-policy"
  packages_directory      = "${path.root}/../../../../.serverless"
}

# Applied after Rollcall's account, because the member roles trust the roles there and the event rules forward to the bus there.
module "management" {
  source     = "../.."
  providers  = { aws = aws.management }
  depends_on = [module.rollcall]

  stage                   = local.organization.stage
  organization_id         = local.organization.organization_id
  organizational_unit_ids = local.organization.organizational_unit_ids
  management_account_id   = local.organization.management_account_id
  rollcall_account_id     = local.organization.rollcall_account_id
  external_id             = local.organization.external_id
}

output "api_url" {
  value = module.rollcall.api_url
}
