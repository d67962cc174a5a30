"""Words that shops use for the contract's columns, and for people's data. Add to them; nothing else depends on it."""

from __future__ import annotations

import re


def _words(lists: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words.split()) for name, words in lists.items()}


# Canonical column -> what else sources call it; the entity's own name in front is understood (`name` of products).
SYNONYMS: dict[str, tuple[str, ...]] = _words(
    {
        "amount": "total value sum paid_amount amount_paid",
        "account_number": "account_num account_no",
        "arm": "segment variant test_group",
        "brand": "brand_name make label",
        "campaign_id": "campaign campaign_no campaign_code promotion_id promotion promo_id promo offer_id",
        "campaign_name": "name title promotion_name promo_name",
        "category": "product_category subcategory group product_group",
        "channel": "sales_channel shop medium media media_type",
        "children": "total_children number_of_children",
        "city": "town",
        "cost": "cost_amount cogs cost_of_goods total_cost product_cost total_product_cost store_cost",
        "country": "country_name country_code",
        "coupon_id": "coupon coupon_code coupon_upc voucher voucher_code",
        "customer_id": "customer customer_no customer_number customer_key cust_id cust_no client_id client user_id"
        " member_id household_id buyer_id shopper_id",
        "customer_type": "kind",
        "department": "division main_category product_department",
        "discount_retail": "discount discount_amount rebate retail_disc discount_value",
        "employee_id": "employee employee_no employee_key sales_person_id salesperson seller_id agent_id",
        "end_date": "end valid_until finished end_day",
        "first_seen_date": "created_at created registered_at signup_date signed_up_at member_since joined"
        " date_accnt_opened account_opened date_first_purchase",
        "freight": "shipping postage shipping_cost shipping_amount",
        "gross": "gross_amount gross_value list_amount subtotal",
        "home_owner": "houseowner house_owner house_owner_flag",
        "income_band": "income yearly_income household_income",
        "interaction_type": "topic kind subject",
        "invoice_id": "invoice invoice_no invoice_number",
        "is_converted": "conversion converted",
        "is_visited": "visit visited",
        "line_no": "line line_number line_id order_line position item_no order_line_number sales_order_line_number seq",
        "list_price": "price retail_price unit_price srp msrp",
        "manufacturer": "manufacturer_id producer",
        "net": "net_amount net_value line_total sales_value sales_amount sales amount total revenue line_amount"
        " extended_price price_paid store_sales",
        "order_date": "day date sale_date purchase_date invoice_date",
        "order_id": "order order_no order_number sales_order_number invoice_no invoice invoice_number basket_id basket"
        " transaction_id receipt_no receipt_id sale_id",
        "order_status": "status state",
        "ordered_at": "order_date order_time order_timestamp ordered created_at created placed_at purchased_at sold_at"
        " timestamp transaction_timestamp invoice_date date order_datetime purchase_date time",
        "delivered_at": "delivered delivery_date",
        "shipped_at": "ship_date shipped shipping_date",
        "promised_at": "due_date promised promised_date",
        "approved_at": "approved approval_date",
        "outcome_value": "spend spending outcome",
        "paid_at": "paid payment_date payment_time date created_at timestamp",
        "payment_method": "method type payment_type",
        "product_id": "product product_no product_number product_code product_key sku item item_id item_no article"
        " article_id article_no stock_code ean upc asin",
        "product_family": "family product_line",
        "product_name": "description title item_name product_description",
        "product_type": "kind subcategory product_subcategory",
        "promotion_id": "promotion promotion_key promo_id promo_code offer_id",
        "quantity": "qty units pieces order_quantity count quantity_sold unit_sales units_sold",
        "reason_id": "reason sales_reason_id",
        "region": "state province county state_province",
        "returned_at": "return_date returned date created_at",
        "score": "rating stars",
        "standard_cost": "cost purchase_price unit_cost",
        "start_date": "start valid_from launched start_day",
        "store_id": "store store_no store_code shop_id branch branch_id location_id outlet_id",
        "store_type": "format kind",
        "tax": "tax_amount vat sales_tax tax_amt",
        "transaction_currency": "currency currency_code",
        "unit_price": "price price_each item_price unit_amount sale_price",
    }
)

# Canonical feed -> what else sources call it, in the singular
FEED_NAMES: dict[str, tuple[str, ...]] = _words(
    {
        "customers": "customer client user member household buyer shopper demographic account",
        "products": "product item article catalog catalogue sku assortment",
        "stores": "store branch outlet shop location",
        "orders": "order order_header sales_order purchase",
        "order_lines": "order_line order_item line_item sale transaction basket receipt line",
        "payments": "payment",
        "returns": "return refund cancellation",
        "campaigns": "campaign promotion promo offer special_offer",
        "campaign_contacts": "campaign_contact mailing campaign_member recipient",
        "coupons": "coupon voucher",
        "coupon_redemptions": "coupon_redemption redemption",
        "interactions": "interaction ticket call chat visit contact",
        "cases": "case complaint claim",
        "surveys": "survey survey_response answer review feedback",
        "employees": "employee staff sales_person agent",
        "fx_rates": "fx_rate exchange_rate currency_rate rate",
        "currencies": "currency",
        "invoices": "invoice",
        "reasons": "reason sales_reason return_reason",
        "sales_reasons": "sales_reason_line order_reason",
        "loyalty_points": "loyalty_point point bonus_point",
    }
)

# Personal data by the column's name -> column of the contract; the first that fits
PERSONAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), column)
    for pattern, column in (
        (r"(^|_)e_?mail(_address|_addr)?$", "email"),
        (r"(^|_)(phone|mobile|telephone|tel|cell|fax)(_no|_number|_nr)?$", "phone"),
        (r"(^|_)(birth_?date|date_of_birth|birth_?day|dob|born)$", "birth_date"),
        (
            r"(^|_)(first|last|middle|f|l|m|family|given|full|maiden|sur|contact|person|customer|client)_?name$|^surname$",
            "name",
        ),
        (r"(^|_)(address|street|house_no|house_number|postcode|postal_code|zip|zip_code)(_?line)?(_?\d)?$", "address"),
    )
)
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$")
PHONE = re.compile(r"^(\+|00|\()[\d\s().\-/]{7,}$|^\d{2,5}[ \-/.]\d{3,}[\d \-/.]*$")
MONEY = re.compile(
    r"(^|_)(amount|price|net|gross|total|cost|tax|vat|freight|shipping|discount|revenue|sales|value|fee|budget|paid|limit|disc)($|_)"
)
UPDATED = re.compile(r"^(last_)?(updated|modified|changed)(_at|_on|_date|_time|_timestamp)?$|^last_(update|change)$")
DELETED = re.compile(r"^(is_)?deleted(_at)?$|^deletion_flag$")
