using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Dunlin.Telemetry.Link;

/// <summary>The lists of a file, one for each authority that has revoked. A serial number means a certificate only together with its issuer.</summary>
internal sealed class RevocationLists
{
    private const string Label = "X509 CRL";
    private readonly List<(string Issuer, CertificateRevocationListBuilder Revoked)> _lists = [];

    /// <summary>One DER list, or any number as PEM.</summary>
    /// <exception cref="CryptographicException">It holds none, or one that is damaged.</exception>
    public static RevocationLists Read(string path)
    {
        var file = File.ReadAllBytes(path);
        var lists = new RevocationLists();
        for (var text = Encoding.Latin1.GetString(file).AsSpan(); PemEncoding.TryFind(text, out var block); text = text[block.Location.End..])
            if (text[block.Label] is Label) lists.Add(Convert.FromBase64String(text[block.Base64Data].ToString()));
        if (lists._lists.Count == 0) lists.Add(file);
        return lists;
    }

    public bool HasAny(X509Chain chain) => chain.ChainElements.Any(element => Has(element.Certificate));

    private bool Has(X509Certificate2 certificate) => _lists.Any(list =>
        list.Issuer.Equals(certificate.Issuer, StringComparison.OrdinalIgnoreCase) && list.Revoked.RemoveEntry(certificate.SerialNumberBytes.Span));

    private void Add(byte[] list)
    {
        var revoked = CertificateRevocationListBuilder.Load(list, out _);
        _lists.Add((IssuerOf(list), revoked));
    }

    /// <summary>Source: RFC 5280, section 5.1. The builder does not tell it.</summary>
    private static string IssuerOf(byte[] list)
    {
        var body = new AsnReader(list, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (body.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) body.ReadInteger();
        body.ReadSequence();
        return new X500DistinguishedName(body.ReadEncodedValue().Span).Name;
    }
}
