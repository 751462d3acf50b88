"""What signing in and tokens refuse. None says whether an address exists or which part was wrong."""

from gateway.errors import ConflictError, GatewayError, InputError, RightsError, SignInError


class SignInRefused(SignInError):
    """Wrong address, password or code; the answer does not say which."""

    code = "sign_in_refused"
    title = "E-mail address, password or code is not right"
    hint = "Try again; after ten failures this device waits fifteen minutes."


class SignInDelayed(SignInError):
    """Ten failures from this source: it waits, others do not."""

    code = "sign_in_delayed"
    http_status = 429
    title = "Too many failures from this device"
    hint = "Wait fifteen minutes, or sign in from another device."


class SignInBusy(GatewayError):
    """More sign-ins at once than this process can check; refused before any work is done."""

    code = "sign_in_busy"
    http_status = 503
    title = "Too many people are signing in at this moment"
    hint = "Try again in a few seconds."


class OwnSignInRequired(RightsError):
    """Signed in through an office's issuer, which opens that office only (SEC-14)."""

    code = "own_sign_in_required"
    title = "Sign in with your own password or passkey"
    hint = "Your office's sign-in opens that office only; password, passkeys, address and other offices need your own."


class OfficeRequired(InputError):
    """The person belongs to several offices and must say which."""

    code = "office_required"
    http_status = 400
    title = "Say which office you work for"
    hint = "Send office_id; GET /v1/me lists your offices."


class PasswordWeak(InputError):
    """Too short or too common."""

    code = "password_weak"
    title = "The password is too short or too common"
    hint = "Use at least 12 characters that are not on the list of common passwords."


class EmailTaken(ConflictError):
    """Another user has this address."""

    code = "email_taken"
    title = "This e-mail address is in use"
    hint = "One person signs in with one address; give the existing user the role instead."


class SecondFactorNotEnrolled(ConflictError):
    """There is no authenticator yet."""

    code = "second_factor_not_enrolled"
    title = "No second factor is set up"
    hint = "Set up an authenticator first; it is needed wherever money or rights move."


class SecondFactorAlreadyEnrolled(ConflictError):
    """An authenticator is in use; replacing it takes another administrator."""

    code = "second_factor_already_enrolled"
    title = "A second factor is in use already"
    hint = "An administrator other than you can reset it."


class EnrolmentCodeWrong(InputError):
    """Who has rights sets up a new second factor with a code from an administrator (SEC-13)."""

    code = "enrolment_code_wrong"
    title = "The code from your administrator is not right"
    hint = "Ask an administrator for a code; it works for seven days and ends after five wrong tries."


class OperatorNeeded(RightsError):
    """The person works for other offices too: no single office changes how this person signs in (SEC-14)."""

    code = "operator_needed"
    title = "Only the operator of the installation can do this"
    hint = "This person works for other offices too; ask the operator to reset the second factor."


class OperatorHoldsNoRole(ConflictError):
    """Who runs the installation works for no office and decides nothing (OFF-08)."""

    code = "operator_holds_no_role"
    title = "An operator of the installation holds no role"
    hint = "Give the role to another person, or end the operator first."


class AdministratorsDecide(ConflictError):
    """The operator steps in only where no administrator of the office can (SEC-13)."""

    code = "administrators_decide"
    title = "The office's own administrators can reset this second factor"
    hint = "Let an administrator other than the person propose it; the operator resets an office's only admin."


class RoleHeld(ConflictError):
    """The person has this role already."""

    code = "role_held"
    title = "This person has this role already"
    hint = "Nothing needs to be done; read the roles of the user again."


class LastAdministrator(ConflictError):
    """Without this role nobody could administer the office or the client any more (OFF-08)."""

    code = "last_administrator"
    title = "This is the last administrator"
    hint = "Give another person the role first; after a death, guardianship or bankruptcy record the legal event."
