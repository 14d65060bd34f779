using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dunlin.Optimizer;

/// <summary>Tables as wide as the terminal, or in a file or pipe as wide as they must be.</summary>
internal static class PlainConsole
{
    private const int WidthOfFiles = 160;

    public static void Write(IRenderable table, TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (!console.Profile.Out.IsTerminal) console.Profile.Width = WidthOfFiles;
        console.Write(table);
    }
}
