"""What an import refuses. A file that cannot be read is told by what it is, so that its maker knows what to do."""

from __future__ import annotations

from gateway.errors import ConflictError, InputError, NotFound


class ImportNotFound(NotFound):
    """No such import, or another office's."""

    code = "client_import_not_found"
    title = "There is no import with this id"
    hint = "Check the id; an import is forgotten some time after its last use."


class ImportRowNotFound(NotFound):
    """No such row in the file, or its data were erased."""

    code = "client_import_row_not_found"
    title = "There is no row with this number in the import"
    hint = "Take the number from the rows of the import."


class TemplateNotFound(NotFound):
    """Templates exist in four languages."""

    code = "client_import_template_not_found"
    title = "There is no template in this language"
    hint = "Templates exist as nl.xlsx, fr.xlsx, en.xlsx and de.xlsx."


class ImportTooLarge(InputError):
    """Above 5,000 rows, 10 MB, or 100 MB unpacked (OFF-12)."""

    code = "client_import_too_large"
    http_status = 413
    title = "The file is too large"
    detail = "A file has at most 5,000 rows, 10 MB, and 100 MB when unpacked."
    hint = "Divide it into several files; repeating clients does no harm."


class FileRefused(InputError):
    """Not a file of clients."""

    code = "client_import_unreadable"
    title = "The file cannot be read"
    hint = "Send an Excel file (.xlsx), a CSV file in UTF-8 or JSON; the template shows how."


class FileEmpty(FileRefused):
    """Nothing in it."""

    code = "client_import_empty"
    title = "The file holds no clients"
    hint = "The first row names the columns; every row below it is a client."


class FileOfOtherKind(FileRefused):
    """A PDF, a picture, a document: anything that is no table."""

    code = "client_import_other_kind"
    title = "This is not a spreadsheet"
    detail = "The file looks like {kind}."
    hint = "Send an Excel file (.xlsx), a CSV file in UTF-8 or JSON."


class OldSpreadsheet(FileRefused):
    """Excel 97-2003, or protected by a password: both look alike from outside."""

    code = "client_import_old_spreadsheet"
    title = "This is an old Excel file (.xls), or one with a password"
    hint = "Open it in Excel, remove the password, and save it as Excel workbook (.xlsx)."


class OtherSpreadsheet(FileRefused):
    """OpenDocument, binary workbook."""

    code = "client_import_other_spreadsheet"
    title = "This kind of spreadsheet is not read"
    hint = "Save it as Excel workbook (.xlsx) or as CSV in UTF-8."


class MacrosRefused(FileRefused):
    """A client list needs no program."""

    code = "client_import_macros"
    title = "The workbook holds macros"
    hint = "Save it as Excel workbook without macros (.xlsx)."


class LinksRefused(FileRefused):
    """What it says may stand in another file."""

    code = "client_import_links"
    title = "The workbook refers to other files"
    hint = "Copy the rows into an empty template, values only, and send that."


class DangerousXml(FileRefused):
    """Document types and entities have no place in a workbook; Excel writes none."""

    code = "client_import_dangerous_xml"
    title = "The workbook has parts that no spreadsheet program writes"
    hint = "Copy the rows into an empty template, values only, and send that."


class EncodingRefused(FileRefused):
    """A CSV file in another character set would spoil names without anybody noticing."""

    code = "client_import_encoding"
    title = "The file is not in UTF-8"
    hint = "In Excel, choose the format CSV UTF-8 when saving."


class HeaderMissing(FileRefused):
    """No column is recognised."""

    code = "client_import_header_missing"
    title = "The first row does not name the columns"
    hint = "Use the headers of the template in any of the four languages, or the field names."


class ColumnTwice(FileRefused):
    """Two columns say the same."""

    code = "client_import_column_twice"
    title = "Two columns have the same meaning"
    detail = "Columns {first} and {second} both stand for {field}."
    hint = "Remove one of the two."


class ImportBusy(ConflictError):
    """One run at a time."""

    code = "client_import_busy"
    title = "The import is being carried out"
    hint = "Wait until it has finished; its progress is shown."


class NothingToImport(ConflictError):
    """All valid rows are imported already, or there are none."""

    code = "client_import_nothing"
    title = "There is no valid row left to import"
    hint = "Repair invalid rows first, or look at what was imported."


class RowImported(ConflictError):
    """What was imported is changed at the client."""

    code = "client_import_row_imported"
    title = "This row was imported already"
    hint = "Change the client itself."


class UndoOver(ConflictError):
    """Later than 24 hours, or nothing was imported (OFF-15)."""

    code = "client_import_undo_over"
    title = "There is nothing left to undo"
    hint = "An import can be undone for 24 hours; after that, close the clients one by one."


class ImportErased(ConflictError):
    """The rows held personal data and are kept no longer than the undo needs."""

    code = "client_import_erased"
    title = "The rows of this import are erased"
    hint = "Send the file again; clients that exist already stay as they are."
