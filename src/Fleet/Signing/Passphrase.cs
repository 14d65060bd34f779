using System.CommandLine;
using Spectre.Console;

namespace Dunlin.Fleet.Signing;

/// <summary>
/// Where a passphrase comes from: <c>--passphrase-file</c>, the environment variable <c>DUNLIN_PASSPHRASE</c>, or a
/// person at a terminal. It is asked for once, and never printed.
/// </summary>
internal sealed class Passphrase(string? file, Func<string, string?> ask)
{
    public const string Variable = "DUNLIN_PASSPHRASE";
    private string? _value;

    public static Option<FileInfo?> NewOption() => new("--passphrase-file")
    {
        Description = $"A file whose first line opens encrypted keys; else the environment variable {Variable}, else a question at the terminal.",
    };

    public static Passphrase Of(ParseResult arguments) => new(arguments.GetValue<FileInfo?>("--passphrase-file")?.FullName, AskAtTerminal);

    /// <summary>Whether one is given without asking anybody.</summary>
    public bool IsGiven => file is not null || Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <param name="what">What it is for, for example <c>the key release.pem</c>.</param>
    /// <exception cref="FleetException">There is none, or its file is empty.</exception>
    public string Get(string what) => _value ??= Find(what);

    private string Find(string what)
    {
        if (file is not null)
        {
            return File.ReadLines(file).FirstOrDefault() is { Length: > 0 } line
                ? line
                : throw new FleetException(ExitCodes.NotPermitted, $"The passphrase file '{file}' has an empty first line; write the passphrase there.");
        }

        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } value) return value;
        return ask(what) is { Length: > 0 } answer
            ? answer
            : throw new FleetException(ExitCodes.NotPermitted, $"A passphrase is needed for {what}; give --passphrase-file or {Variable}, or run this at a terminal.");
    }

    private static string? AskAtTerminal(string what)
    {
        if (Console.IsInputRedirected || Console.IsErrorRedirected) return null;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Prompt(new TextPrompt<string>($"Passphrase for {what.EscapeMarkup()}:").Secret(null));
    }
}
